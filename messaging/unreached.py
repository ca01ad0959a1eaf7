"""Whom a campaign did not reach, and why; the sheet of its results."""

from django.db.models import Count, F
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import identifiers
from messaging.codes import Left, MessageState
from messaging.models import Exclusion, Message
from messaging.progress import LOST

# By row number, found through the campaign's index: the primary key's would lead through all other campaigns.
IN_ORDER = F("pk") + 0
UNREACHED = (*LOST, MessageState.CANCELLED)
# A sheet that a station's computer still opens.
EXPORTED = 50_000


def messages(campaign, user):
    """Those that did not arrive, the first made first, as far as the user may see them."""
    rows = Message.objects.visible_to(user).filter(campaign=campaign, state__in=UNREACHED)
    return rows.select_related("resident", "institution", "call").order_by(IN_ORDER)


def left_out(campaign, user):
    """Residents of the audience who get nothing."""
    rows = Exclusion.objects.visible_to(user).filter(campaign=campaign)
    return rows.select_related("resident__home").order_by("pk")


def left_out_by_reason(campaign) -> list[tuple[Left, int]]:
    """(reason, residents), the most frequent first. One query."""
    counts = campaign.exclusions.values_list("why").annotate(n=Count("pk")).order_by("-n")
    return [(Left(why), n) for why, n in counts]


def headings():
    return [
        _("resident"), _("institution"), _("phone"), _("carrier"), _("segments"), _("state"), _("reason"), _("gateway"),
        _("tries"), _("taken by the carrier at"), _("state since"), _("call task"),
    ]  # fmt: skip


def lines(campaign, user, *, unreached_only):
    """Lines of the sheet; numbers are masked. One more than fits says so in words."""
    rows = Message.objects.visible_to(user).filter(campaign=campaign)
    if unreached_only:
        rows = rows.filter(state__in=UNREACHED)
    rows = rows.select_related("resident", "institution", "gateway", "call").order_by(IN_ORDER)
    number = 0
    for number, row in enumerate(rows[: EXPORTED + 1].iterator(chunk_size=1000), start=1):
        if number > EXPORTED:
            yield [_("There are more than %(n)d messages; the rest is not in this sheet.") % {"n": EXPORTED}]
            return
        yield _line(row)


def _line(row):
    call = getattr(row, "call", None)
    return [
        row.resident.name if row.resident else _("test send"), row.institution.short_name,
        identifiers.mask_phone(row.phone), row.get_carrier_display(), row.segments, row.get_state_display(),
        row.get_reason_display() if row.reason else "", row.gateway.name if row.gateway else "", row.tries,
        _time(row.submitted_at), _time(row.state_at), call.get_state_display() if call else "",
    ]  # fmt: skip


def _time(moment):
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
