"""What does not fit between referrals of the insured old and young and city insurance: four questions, each a
condition on referrals, so that one list and one count serve all."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, TextChoices
from django.utils.translation import gettext_lazy as _

from emr.codes import FilingFinding, FilingState, ReferralState
from emr.models import InsuranceFiling, Referral

ENDED = (ReferralState.REJECTED, ReferralState.TERMINATED, ReferralState.EXPIRED)


class Kind(TextChoices):
    MISSING = "missing", _("no number yet")
    TWICE = "twice", _("number on two referrals")
    UNKNOWN = "unknown", _("the interface says otherwise")
    CANCELLED = "cancelled", _("ended, still filed")


def conditions(now) -> dict:
    """The condition of each kind."""
    before = now - timedelta(days=settings.INSURANCE_MISSING_DAYS)
    same = (
        InsuranceFiling.objects.filter(external_number=OuterRef("filing__external_number"))
        .exclude(referral=OuterRef("pk"))
        .exclude(state=FilingState.CANCELLED)
    )
    unfiled = Q(filing=None) & ~Q(state__in=ENDED)
    return {
        Kind.MISSING: Q(sent_at__lte=before)
        & (unfiled | Q(filing__state__in=[FilingState.TO_DO, FilingState.SENDING])),
        Kind.TWICE: Q(filing__external_number__gt="")
        & ~Q(filing__state=FilingState.CANCELLED)
        & Exists(same),
        Kind.UNKNOWN: Q(filing__finding__in=[FilingFinding.UNKNOWN, FilingFinding.DIFFERS]),
        Kind.CANCELLED: Q(filing__state__in=[FilingState.TO_CANCEL, FilingState.CANCELLING])
        | Q(filing__finding=FilingFinding.STILL)
        | Q(filing__state=FilingState.CONFIRMED, state__in=ENDED),
    }


def referrals(user):
    """Those that the user's institutions have to file."""
    if not (user.is_clinical and user.has_perm("emr.file_insurance")):
        return Referral.objects.none()
    return Referral.objects.sent_by(user).exclude(group="")


def counts(user, now) -> list[dict]:
    """{"institution": name, each kind: how many}, for institutions where something does not fit. One query."""
    asked = conditions(now)
    rows = (
        referrals(user)
        .values("from_institution__path", "from_institution__short_name")
        .annotate(**{kind.value: Count("pk", filter=condition) for kind, condition in asked.items()})
        .order_by("from_institution__path")
    )
    return [
        {
            "institution": row["from_institution__short_name"],
            **{kind.value: row[kind.value] for kind in asked},
        }
        for row in rows
        if any(row[kind.value] for kind in asked)
    ]


def page(user, kind, now, size, after=None):
    """(rows, whether there are more), the oldest first. ``after``: the last referral of the page before."""
    found = (
        referrals(user)
        .filter(conditions(now)[kind])
        .select_related("filing__filed_by", "resident", "from_institution")
        .order_by("sent_at", "pk")
    )
    if after is not None:
        found = found.filter(Q(sent_at__gt=after.sent_at) | Q(sent_at=after.sent_at, pk__gt=after.pk))
    rows = list(found[: size + 1])
    return rows[:size], len(rows) > size
