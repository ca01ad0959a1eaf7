"""The lists of referrals: to receive, received, sent, all; each a page of the newest by key, never by count."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from emr.codes import ReferralState
from emr.models import Referral

PAGE = 30
TABS = {
    "waiting": _("to receive"),
    "received": _("received by us"),
    "sent": _("sent by us"),
    "all": _("all referrals"),
}
# Lists name people and places; the forms' text stays in the database.
NAMED = (
    "uuid", "number", "direction", "group", "state", "sent_at", "due_on", "doctor_name", "to_name", "reason",
    "person", "resident__name", "from_institution__short_name", "to_institution__short_name",
)  # fmt: skip


def page(user, tab, day, before=None) -> tuple[list, bool]:
    """The next referrals of a tab, newest first, and whether there are more. "all" is both directions, each
    fetched by its own index."""
    mine = Referral.objects.visible_to(user)
    queries = {
        "waiting": [mine.received_by(user).to_receive(day)],
        "received": [mine.received_by(user).exclude(state=ReferralState.PENDING)],
        "sent": [mine.sent_by(user)],
        "all": [mine.received_by(user), mine.sent_by(user)],
    }[tab]
    found = {row.pk: row for query in queries for row in _next(query, before)}
    rows = sorted(found.values(), key=lambda row: (row.sent_at, row.pk), reverse=True)
    return rows[:PAGE], len(rows) > PAGE


def _next(query, before):
    if before is not None:
        query = query.filter(Q(sent_at__lt=before.sent_at) | Q(sent_at=before.sent_at, pk__lt=before.pk))
    rows = query.select_related("resident", "from_institution", "to_institution").only(*NAMED)
    return rows.order_by("-sent_at", "-pk")[: PAGE + 1]


def count_to_receive(user, day) -> int:
    """How many wait for one's own institution."""
    return Referral.objects.visible_to(user).received_by(user).to_receive(day).count()
