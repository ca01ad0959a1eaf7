"""When an allowance runs out, and what the year still wants 缺口测算.

Days ahead are expected to be like the same weekdays of the last eight weeks: clinics send on working days, and a
mean over all days would be wrong on each of them.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal

from django.db.models import Sum
from django.db.models.functions import TruncDate

from messaging import quota as ledger
from messaging.codes import CampaignState, QuotaKind
from messaging.models import Campaign, QuotaEntry

WEEKS = 8


@dataclass(frozen=True)
class Forecast:
    """Segments; ``money`` in CNY at the last top-up's price, None where none was bought. ``runs_out``: the first day
    that free segments do not cover, None where they last. ``days``: how many days of use the figures rest on."""

    days: int
    per_week: float
    planned: int
    needed: int
    gap: int
    runs_out: date | None
    money: Decimal | None

    @property
    def is_guess(self):
        """Less than two weeks of use say little."""
        return self.days < 14


def of(quota, today, balance=None) -> Forecast:
    """Four queries."""
    balance = balance or ledger.balance(quota)
    use, days = _use(quota, today)
    planned = _planned(quota)
    free, runs_out, needed = balance.free - planned, None, planned
    if free < 0:
        runs_out = today
    rest, day, end = float(free), today, date(quota.year, 12, 31)
    expected = 0.0
    while day < end:
        day += timedelta(days=1)
        expected += use[day.weekday()]
        if runs_out is None and expected > rest:
            runs_out = day
    needed += round(expected)
    gap = max(needed - balance.free, 0)
    return Forecast(days, sum(use), planned, needed, gap, runs_out, _money(quota, gap))


def _use(quota, today):
    """([segments of a Monday … Sunday], days looked at)."""
    rows = (
        quota.entries.filter(used__isnull=False)
        .exclude(used=0)
        .annotate(day=TruncDate("at"))
        .values("day")
        .annotate(n=Sum("used"))
        .order_by("day")
    )
    begin = today - timedelta(weeks=WEEKS)
    used = {row["day"]: row["n"] for row in rows.filter(at__date__gte=begin, at__date__lt=today)}
    first = quota.entries.order_by("pk").values_list("at__date", flat=True).first()
    begin = max(begin, first) if first else today
    days = [begin + timedelta(days=n) for n in range((today - begin).days)]
    means = []
    for weekday in range(7):
        these = [max(used.get(day, 0), 0) for day in days if day.weekday() == weekday]
        means.append(sum(these) / len(these) if these else 0.0)
    return means, len(days)


def _planned(quota):
    """Segments of campaigns that are counted and not yet released: of institutions that use this allowance."""
    waiting = Campaign.objects.filter(
        institution__path__startswith=quota.institution.path,
        state__in=[CampaignState.READY, CampaignState.WAITING],
    ).exclude(segments=0)
    lower = (
        type(quota)
        .objects.filter(year=quota.year, institution__path__startswith=quota.institution.path)
        .exclude(pk=quota.pk)
    )
    own = list(lower.values_list("institution__path", flat=True))
    return sum(
        segments
        for path, segments in waiting.values_list("institution__path", "segments")
        if not any(path.startswith(below) for below in own)
    )


def _money(quota, segments):
    bought = QuotaEntry.objects.filter(kind=QuotaKind.TOP_UP, money__isnull=False, free__gt=0)
    last = bought.filter(quota__year__lte=quota.year).order_by("-pk").values("money", "free").first()
    if last is None:
        return None
    return (last["money"] / last["free"] * segments).quantize(Decimal("0.01"), ROUND_UP)
