"""What the record tells about a resident on the ground floor's pages."""

from datetime import datetime, time, timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from emr import previous_visits, standing_history
from emr.codes import EncounterStatus
from emr.models import Encounter, Referral

REFERRALS_SHOWN = 10


def visits(request, resident) -> dict:
    """The last visits of the file, with diagnoses, for the resident's page."""
    ids = resident.file_ids
    rows, more = previous_visits.page(request.user, ids)
    running = Encounter.objects.visible_to(request.user).filter(resident__in=ids).open()
    return {
        "previous": rows,
        "previous_more": more,
        "running": list(running.select_related("institution", "doctor").order_by("-arrived_at", "-pk")),
    }


def referrals(request, resident) -> dict:
    """The file's last referrals and what came back, for the resident's page."""
    rows = Referral.objects.visible_to(request.user).filter(resident__in=resident.file_ids)
    return {"rows": list(rows.select_related("from_institution", "to_institution")[:REFERRALS_SHOWN])}


def standing(request, resident) -> dict:
    """The standing history of the file, to read; it is written in the chart."""
    allergies = standing_history.allergies_of_file(resident)
    return standing_history.block(resident, request.user, allergies)


def visited_between(residents, first, last):
    """Those who came on these days; cancelled visits do not count. ``first`` and ``last`` may be None."""
    came = Encounter.objects.filter(resident=OuterRef("pk")).exclude(status=EncounterStatus.CANCELLED)
    if first is not None:
        came = came.filter(arrived_at__gte=_midnight(first))
    if last is not None:
        came = came.filter(arrived_at__lt=_midnight(last + timedelta(days=1)))
    return residents.filter(Exists(came))


def _midnight(day):
    return timezone.make_aware(datetime.combine(day, time.min))


def merge_obstacle(survivor, absorbed) -> str | None:
    """One person waits at one place once (the constraint encounter_one_open holds per row only)."""
    places = Encounter.objects.open().filter(resident__in=survivor.record_ids()).values("institution")
    both = Encounter.objects.open().filter(resident__in=absorbed.record_ids(), institution__in=places)
    if both.exists():
        return _("Both have an open visit at the same institution. Please finish or cancel one first.")
    return None


def waiting_rows(user, day) -> list[dict]:
    """Who waits or is being seen in the user's institution on a day, for paper (clinic.registry). One query."""
    rows = (
        Encounter.objects.in_scope(user)
        .open()
        .filter(arrived_at__date=day)
        .select_related("resident", "doctor")
    )
    return [
        {
            "at": row.arrived_at, "name": row.resident.name, "facts": f"{row.resident.get_sex_display()} {row.resident.age_text}",
            "doctor": row.doctor.name if row.doctor else "", "state": row.get_status_display(),
        }
        for row in rows.order_by("arrived_at")
    ]  # fmt: skip
