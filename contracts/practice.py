"""How an institution signs: its own choices, and where it left them open those of the institution above, at last the
settings'."""

from dataclasses import dataclass

from django.conf import settings

from contracts.codes import RemindBy
from contracts.models import SigningPractice
from messaging.models import SmsTemplate


@dataclass(frozen=True)
class Choices:
    """Caps are residents, ``warn_at`` percent of them; ``remind_with`` is None where nobody chose a template."""

    cap_doctor: int
    cap_team: int
    warn_at: int
    hard_stop: bool
    remind_by: str
    remind_with: SmsTemplate | None
    pending_days: int


def of(institution) -> Choices:
    """The choices in force there, the nearest first. One query."""
    rows = SigningPractice.objects.filter(institution__path__in=institution.paths_up)
    rows = list(rows.select_related("remind_with").order_by("-institution__path"))

    def first(name, default):
        return next((value for row in rows if (value := getattr(row, name)) not in ("", None)), default)

    template = first("remind_with", None)
    return Choices(
        cap_doctor=first("cap_doctor", settings.CONTRACTS_CAP_DOCTOR),
        cap_team=first("cap_team", settings.CONTRACTS_CAP_TEAM),
        warn_at=first("warn_at", settings.CONTRACTS_WARN_AT),
        hard_stop=first("hard_stop", settings.CONTRACTS_HARD_STOP),
        # Without a template there is nothing to send.
        remind_by=first("remind_by", RemindBy.MESSAGE if template else RemindBy.CALL),
        remind_with=template,
        pending_days=first("pending_days", settings.CONTRACTS_PENDING_DAYS),
    )
