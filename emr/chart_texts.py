"""What the chart's script says to the doctor: name → sentence, translated with the page."""

from django.utils.translation import gettext_lazy as _

TEXTS = {
    "saved": _("Saved"),
}
