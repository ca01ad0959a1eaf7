"""When an allowance runs out, and what the year still wants 缺口测算.

Days ahead are expected to be like the same weekdays of the last eight weeks: clinics send on working days, and a
mean over all days would be wrong on each of them.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_UP, Decimal

from django.db.models import Min, Sum
from django.db.models.functions import TruncDate

from messaging import quota as ledger
from messaging.codes import CampaignState, QuotaKind
from messaging.models import Campaign, Quota, QuotaEntry

WEEKS = 8


@dataclass(frozen=True)
class Forecast:
    """Segments; ``money`` in CNY at the last top-up's price, None where none was bought. ``runs_out``: the first day
    that free segments do not cover, None where they last. ``days``: how many days of use the figures rest on.
    ``planned``: of campaigns that are counted and not yet released."""

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
    """Five queries."""
    return of_all([quota], today, {quota.pk: balance or ledger.balance(quota)})[quota.pk]


def of_all(quotas, today, balances) -> dict[int, Forecast]:
    """{the allowance's number: its forecast}; as many queries for all as for one."""
    use, planned, price = _use(quotas, today), _planned(quotas), _price()
    return {
        quota.pk: _ahead(quota, today, balances[quota.pk], planned[quota.pk], *use[quota.pk], price)
        for quota in quotas
    }


def _ahead(quota, today, balance, planned, weekdays, days, price):
    free, expected = balance.free - planned, 0.0
    runs_out = today if free < 0 else None
    day, end = today, date(quota.year, 12, 31)
    while day < end:
        day += timedelta(days=1)
        expected += weekdays[day.weekday()]
        if runs_out is None and expected > free:
            runs_out = day
    needed = planned + round(expected)
    gap = max(needed - balance.free, 0)
    money = None if price is None else (price * gap).quantize(Decimal("0.01"), ROUND_UP)
    return Forecast(days, sum(weekdays), planned, needed, gap, runs_out, money)


def _use(quotas, today):
    """{allowance: ([segments of a Monday … Sunday], days looked at)}."""
    begin = today - timedelta(weeks=WEEKS)
    rows = QuotaEntry.objects.filter(quota__in=quotas).order_by()
    used = defaultdict(dict)
    spent = rows.exclude(used=0).filter(at__date__gte=begin, at__date__lt=today)
    for row in spent.annotate(day=TruncDate("at")).values("quota", "day").annotate(n=Sum("used")):
        used[row["quota"]][row["day"]] = max(row["n"], 0)
    first = dict(rows.values_list("quota").annotate(first=Min(TruncDate("at"))))
    return {
        quota.pk: _means(used[quota.pk], max(begin, first.get(quota.pk, today)), today) for quota in quotas
    }


def _means(used, begin, today):
    days = [begin + timedelta(days=n) for n in range((today - begin).days)]
    means = []
    for weekday in range(7):
        these = [used.get(day, 0) for day in days if day.weekday() == weekday]
        means.append(sum(these) / len(these) if these else 0.0)
    return means, len(days)


def _planned(quotas):
    """{allowance: segments of campaigns that wait for their release and will use it}."""
    waiting = Campaign.objects.filter(state__in=[CampaignState.READY, CampaignState.WAITING]).exclude(
        segments=0
    )
    owners = defaultdict(dict)
    for pk, year, path in Quota.objects.values_list("pk", "year", "institution__path"):
        owners[year][path] = pk
    planned = defaultdict(int)
    for path, segments in waiting.values_list("institution__path", "segments"):
        for year in {quota.year for quota in quotas}:
            above = [place for place in owners[year] if path.startswith(place)]
            if above:
                planned[owners[year][max(above, key=len)]] += segments
    return planned


def _price():
    """CNY a segment, of the last top-up that was paid for."""
    bought = QuotaEntry.objects.filter(kind=QuotaKind.TOP_UP, money__isnull=False, free__gt=0)
    last = bought.order_by("-pk").values("money", "free").first()
    return last and last["money"] / last["free"]
