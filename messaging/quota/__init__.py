"""The message allowance of an institution and year, in segments. The ledger's sum is the truth.

Segments stand in three pots: free, reserved (for campaigns that are released), used. Whoever writes an entry holds
the lock of the allowance's row; the order of locks is campaign, allowance.
"""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from messaging.codes import AtLimit, CampaignState, MessageState, QuotaKind, WarningLevel
from messaging.models import Campaign, Quota, QuotaEntry, QuotaWarning, Tally
from messaging.models.campaign import OVER

# Taken by the carrier, or nobody knows: it counts. What failed or was cancelled is given back.
USED = (MessageState.SUBMITTED, MessageState.DELIVERED, MessageState.EXPIRED, MessageState.UNKNOWN)
STILL_TO_GO = (MessageState.QUEUED, MessageState.CLAIMED)


@dataclass(frozen=True)
class Balance:
    """Segments. ``granted`` is the sum of the three pots."""

    free: int = 0
    reserved: int = 0
    used: int = 0

    @property
    def granted(self):
        return self.free + self.reserved + self.used

    @property
    def spoken_for(self):
        return self.reserved + self.used

    @property
    def percent(self) -> int:
        """Used or reserved, of what is granted; whole per cent, rounded down. Nothing granted is all used up."""
        return self.spoken_for * 100 // self.granted if self.granted > 0 else 100

    def is_at(self, level) -> bool:
        return self.percent >= level


def year_of(now) -> int:
    return timezone.localtime(now).year


def of(institution, year) -> Quota | None:
    """The allowance that this institution's messages of the year use: its own, else the nearest above it."""
    return Quota.objects.along(institution).filter(year=year).select_related("institution").first()


def balance(quota) -> Balance:
    """One query."""
    return Balance(**pots(quota.entries.all()))


def balances(quotas) -> dict[int, Balance]:
    """{the allowance's number: its balance}, in one query."""
    sums = (
        QuotaEntry.objects.filter(quota__in=quotas)
        .order_by()
        .values("quota")
        .annotate(f=Sum("free"), r=Sum("reserved"), u=Sum("used"))
    )
    found = {row["quota"]: Balance(row["f"], row["r"], row["u"]) for row in sums}
    return {quota.pk: found.get(quota.pk, Balance()) for quota in quotas}


def pots(entries) -> dict:
    """{"free", "reserved", "used"}: the sums of these entries."""
    sums = entries.aggregate(free=Sum("free"), reserved=Sum("reserved"), used=Sum("used"))
    return {name: value or 0 for name, value in sums.items()}


def reserve(campaign, *, segments, by, now, exceed=False) -> QuotaEntry | None:
    """Set segments aside for a campaign, in the transaction that releases it; its row is locked by the caller.

    ``exceed``: somebody who may (``messaging.exceed_quota``) has agreed to go beyond the allowance. None where the
    district keeps no allowance for the year: a district that does not count is not held up. Raises Refused with code
    "quota" (blocked) or "quota-approval" (wants that agreement), with ``free`` and ``short`` in its facts.
    """
    if campaign.year is None:
        campaign.year = year_of(now)
        campaign.save(update_fields=["year"])
    found = of(campaign.institution, campaign.year)
    if found is None:
        return None
    quota = Quota.objects.select_for_update().get(pk=found.pk)
    free = balance(quota).free
    if segments > free and not exceed:
        raise _too_little(quota, free, segments)
    entry = QuotaEntry.objects.create(
        quota=quota,
        kind=QuotaKind.RESERVATION,
        free=-segments,
        reserved=segments,
        campaign=campaign,
        by=by,
        at=now,
    )
    warn(quota, now)
    return entry


def warn(quota, now) -> list[int]:
    """Write down the levels (per cent) that this allowance has passed, each once for what is granted now; return
    those in force. The row is locked by the caller, or it does not matter who is first."""
    stands = balance(quota)
    passed = [level for level in WarningLevel.values if stands.is_at(level)]
    QuotaWarning.objects.bulk_create(
        [
            QuotaWarning(
                quota=quota, level=level, granted=stands.granted, spoken_for=stands.spoken_for, at=now
            )
            for level in passed
        ],
        ignore_conflicts=True,
    )
    return passed


def _too_little(quota, free, segments):
    facts = {"free": free, "short": segments - free}
    words = {"free": max(free, 0), "needed": segments, "whose": quota.institution}
    if quota.at_limit == AtLimit.BLOCK:
        return Refused(
            _("The allowance of %(whose)s has %(free)d segments left; %(needed)d are needed.") % words,
            code="quota",
            **facts,
        )
    return Refused(
        _(
            "The allowance of %(whose)s has %(free)d segments left; %(needed)d are needed."
            " The district may approve it."
        )
        % words,
        code="quota-approval",
        **facts,
    )


@transaction.atomic
def settle(campaign, now) -> Balance:
    """Post what the ledger does not yet say of this campaign: the difference between the tallies and its entries.
    Harmless to repeat; two at once post it once. Returns what stands for the campaign now."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
    first = campaign.quota_entries.order_by("pk").first()
    if first is None:
        return Balance()
    quota = Quota.objects.select_for_update().get(pk=first.quota_id)
    posted = Balance(**pots(quota.entries.filter(campaign=campaign)))
    target = _target(campaign)
    moves = list(_moves(posted, target))
    if not moves:
        return target
    QuotaEntry.objects.bulk_create(
        QuotaEntry(quota=quota, campaign=campaign, kind=kind, at=now, **pot) for kind, pot in moves
    )
    return target


def _target(campaign) -> Balance:
    sums = Tally.objects.filter(campaign=campaign).aggregate(
        used=Sum("segments", filter=Q(state__in=USED)),
        reserved=Sum("segments", filter=Q(state__in=STILL_TO_GO)),
    )
    used, reserved = sums["used"] or 0, sums["reserved"] or 0
    if campaign.state == CampaignState.CANCELLED:
        reserved = 0
    return Balance(free=-used - reserved, reserved=reserved, used=used)


def _moves(posted, target):
    """(kind, pots) from one balance to the other: used first, then what is left of the reservation."""
    used = target.used - posted.used
    reserved = posted.reserved
    if used > 0:
        yield QuotaKind.CONSUMPTION, {"used": used, "reserved": -used}
        reserved -= used
    elif used < 0:
        yield QuotaKind.REFUND, {"used": used, "free": -used}
    rest = target.reserved - reserved
    if rest < 0:
        yield QuotaKind.RELEASE, {"reserved": rest, "free": -rest}
    elif rest > 0:
        yield QuotaKind.RESERVATION, {"reserved": rest, "free": -rest}


def tend(now) -> int:
    """Settle the campaigns whose messages have moved since their last entry, and warn; return how many there were.
    The dispatcher does the same for what it sends; this is for what moved without it."""
    year = year_of(now)
    posted = QuotaEntry.objects.filter(campaign=OuterRef("pk")).order_by().values("campaign")
    sent = Tally.objects.filter(campaign=OuterRef("pk"), state__in=USED).order_by().values("campaign")
    unsettled = (
        Campaign.objects.filter(year__gte=year - 1)
        .annotate(
            posted=Subquery(posted.annotate(n=Sum("used")).values("n")),
            left=Subquery(posted.annotate(n=Sum("reserved")).values("n")),
            sent=Coalesce(Subquery(sent.annotate(n=Sum("segments")).values("n")), 0),
        )
        .exclude(posted=None)
        .filter(~Q(posted=F("sent")) | (Q(state__in=OVER) & ~Q(left=0)))
    )
    rows = list(unsettled)
    for campaign in rows:
        settle(campaign, now)
    for quota in Quota.objects.filter(year=year):
        warn(quota, now)
    return len(rows)
