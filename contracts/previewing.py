"""What an order for many agreements would do, counted before it is given: how many will pass, how many will not, and
why. What depends on the order itself (places left with a doctor) is told by each line's result."""

from collections import Counter
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.codes import LifeState
from contracts import renewing, teams, terms
from contracts.actions.batches import MOST
from contracts.codes import ALIVE, IN_FORCE, BatchKind
from contracts.models import Agreement, Team

STEP = 5_000
NEEDED = ("state", "start", "end", "ended_on", "team", "resident__life_state", "follows")


@dataclass
class Preview:
    total: int = 0
    good: int = 0
    reasons: Counter = field(default_factory=Counter)

    @property
    def bad(self):
        return self.total - self.good

    @property
    def by_reason(self):
        return self.reasons.most_common()


def of(kind, rows) -> Preview:
    """Look at every row once, in chunks; at more than one order takes not at all, only that they are too many."""
    shown, today = Preview(), timezone.localdate()
    why = {BatchKind.RENEW: Renewing(today), BatchKind.TERMINATE: _not_ended, BatchKind.REASSIGN: _not_given}[
        kind
    ]
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
    shown.total = len(keys)
    if shown.total > MOST:
        return shown
    for begin in range(0, len(keys), STEP):
        chunk = Agreement.objects.filter(pk__in=keys[begin : begin + STEP])
        chunk = list(
            chunk.select_related("resident", "institution").only(
                *NEEDED, "resident__name", "institution__path"
            )
        )
        if isinstance(why, Renewing):
            why.read(chunk)
        for row in chunk:
            sentence = why(row)
            if sentence:
                shown.reasons[str(sentence)] += 1
            else:
                shown.good += 1
    return shown


class Renewing:
    """Why not to renew, as contracts.renewing says it, and whether team and resident can."""

    def __init__(self, today):
        self.today = today
        self.lacking, self.followed, self.versions = {}, set(), {}

    def read(self, rows):
        self.followed = renewing.followed([row.pk for row in rows])
        starts = {row.pk: terms.renewal_start(row, self.today) for row in rows}
        self.versions = renewing.versions_of(rows, starts)
        unknown = {row.team_id for row in rows} - self.lacking.keys()
        missing = teams.lacking(unknown, self.today)
        for team in Team.objects.filter(pk__in=unknown):
            word = (missing[team.pk] or [""])[0]
            self.lacking[team.pk] = word if team.active else _("This team is not in use.")

    def __call__(self, row):
        if row.resident.life_state != LifeState.LIVING:
            return _("This resident has died or moved away.")
        if why := renewing.why_not(row, self.today, followed=self.followed) or self.lacking[row.team_id]:
            return why
        return (
            ""
            if self.versions[row.pk]
            else _("None of its packages is offered any more, or for this resident.")
        )


def _not_ended(row):
    return "" if row.state in IN_FORCE else _not_possible(row)


def _not_given(row):
    return "" if row.state in ALIVE else _not_possible(row)


def _not_possible(row):
    return _("This agreement is “%(state)s” by now; that is not possible.") % {
        "state": row.get_state_display()
    }
