"""Numbers of referral forms: ZZ-YYYYMMDD-NNNN, counted per day over the whole district."""

from django.db import transaction

from emr.models import ReferralCounter


@transaction.atomic
def take_number(day) -> str:
    """The next number of the day. Its counter's row is the lock, held until the caller's transaction ends:
    no number is given twice, and one taken back leaves no gap. Past 9999 it grows by a digit."""
    ReferralCounter.objects.get_or_create(day=day)
    counter = ReferralCounter.objects.select_for_update().get(day=day)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"ZZ-{day:%Y%m%d}-{counter.last:04d}"
