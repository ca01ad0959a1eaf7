"""How an institution sends: its own choices, and where it left them open those of the institution above, at last the
settings'."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.utils import timezone

from messaging.models import SendingPractice


@dataclass(frozen=True)
class Choices:
    """Quiet from ``quiet_from`` until ``quiet_to``, over midnight as a rule; the same twice: never."""

    signature: str
    quiet_from: time
    quiet_to: time
    approval_above: int
    retry_next_day: bool


def of(institution) -> Choices:
    """The choices in force there. One query."""
    rows = list(SendingPractice.objects.along(institution))

    def first(name, default):
        return next((value for row in rows if (value := getattr(row, name)) not in ("", None)), default)

    # Both ends of the quiet hours are one choice.
    hours = next(((row.quiet_from, row.quiet_to) for row in rows if row.quiet_from is not None), None)
    begin, end = hours or (
        time.fromisoformat(settings.SMS_QUIET_FROM),
        time.fromisoformat(settings.SMS_QUIET_TO),
    )
    return Choices(
        signature=first("signature", settings.SMS_SIGNATURE),
        quiet_from=begin,
        quiet_to=end,
        approval_above=first("approval_above", settings.SMS_APPROVAL_ABOVE),
        retry_next_day=first("retry_next_day", settings.SMS_RETRY_NEXT_DAY),
    )


def is_quiet(choices, now) -> bool:
    clock, begin, end = timezone.localtime(now).time(), choices.quiet_from, choices.quiet_to
    if begin <= end:
        return begin <= clock < end
    return clock >= begin or clock < end


def next_allowed(choices, now) -> datetime:
    """The moment itself, or the end of the quiet hours that it lies in."""
    if not is_quiet(choices, now):
        return now
    local = timezone.localtime(now)
    day = local.date() + timedelta(days=local.time() >= choices.quiet_to)
    return timezone.make_aware(datetime.combine(day, choices.quiet_to))
