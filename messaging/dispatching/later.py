"""When: quiet hours of an institution, and another hour of the next day."""

from datetime import timedelta

from django.utils import timezone

from clinic.models import Institution
from messaging import practice

# Somebody whose telephone was off at ten may have it on in the afternoon.
OTHER_HOUR = 4


def is_quiet(institution_id, now) -> bool:
    return practice.is_quiet(_choices(institution_id), now)


def next_day(institution_id, now):
    """Tomorrow, four hours later or earlier than now and outside the quiet hours; None where the institution does not
    try again."""
    choices = _choices(institution_id)
    if not choices.retry_next_day:
        return None
    tomorrow = timezone.localtime(now) + timedelta(days=1)
    for shift in (OTHER_HOUR, -OTHER_HOUR):
        moment = tomorrow + timedelta(hours=shift)
        if moment.date() == tomorrow.date() and not practice.is_quiet(choices, moment):
            return moment
    return practice.next_allowed(choices, tomorrow)


def _choices(institution_id):
    return practice.of(Institution.objects.get(pk=institution_id))
