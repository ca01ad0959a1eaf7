"""Taking a resident's row before deciding anything about it."""

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident


def locked(resident, by, *, home_only=True):
    """The row, locked and fresh. Absorbed rows are frozen; ``home_only`` keeps other institutions' hands off,
    also those who may look for a day."""
    row = Resident.objects.select_for_update(of=("self",)).select_related("home").get(pk=resident.pk)
    if row.merged_into_id:
        raise Conflict(_("This row was merged into another one. Please open that one."), code="merged")
    if home_only:
        check_home(row, by)
    return row


def check_home(resident, by):
    if not resident.home.path.startswith(by.institution.path):
        raise Forbidden(_("Only the home institution may change this."), code="not-home")


def past_day(day, field):
    """The day, today where none is given. A fact cannot begin tomorrow."""
    today = timezone.localdate()
    if day and day > today:
        raise Refused(_("The date lies in the future."), code="future", field=field)
    return day or today


def filled(text, field, limit):
    """The text without surrounding blanks; empty or too long is refused."""
    text = " ".join((text or "").split())
    if not text:
        raise Refused(_("Please fill this in."), code="empty", field=field)
    if len(text) > limit:
        raise Refused(_("At most %(n)d characters.") % {"n": limit}, code="long", field=field)
    return text
