"""What somebody keeps to look for again."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.errors import Conflict, Refused
from maintenance.models import TicketFilter

MOST = 12


@transaction.atomic
def keep(*, by, name, choices) -> TicketFilter:
    """Refused code: many; Conflict code: name."""
    mine = TicketFilter.objects.visible_to(by).select_for_update()
    names = set(mine.values_list("name", flat=True))
    if name in names:
        raise Conflict(_("There is a filter of this name."), code="name")
    if len(names) >= MOST:
        raise Refused(_("At most %(n)d filters.") % {"n": MOST}, code="many")
    return TicketFilter.objects.get_or_create(owner=by, name=name, defaults={"choices": choices})[0]
