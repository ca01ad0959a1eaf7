"""The visits before this one, at the side of the chart and on the resident's page."""

from django.db.models import Q

from emr.codes import EncounterStatus
from emr.models import Encounter
from emr.signed import versions

PAGE = 10
# What the side of the chart and the resident's page show of a visit: a third of the columns.
SHOWN = (
    "uuid", "arrived_at", "imported", "institution__short_name", "note__encounter", "note__imported_doctor",
    "note__signer", "note__diagnoses", "note__medications", "note__chief_complaint", "note__present_illness", "note__signs",
    "note__examinations", "note__treatment",
)  # fmt: skip


def page(user, record_ids, than=None, before=None) -> tuple[list, bool]:
    """The next ten finished visits with their notes, newest first, and whether there are more. One query.

    ``record_ids`` are the rows of the person's file; ``than`` is the visit being charted, left out;
    ``before`` is the last one already shown.
    """
    rows = (
        Encounter.objects.visible_to(user)
        .filter(resident__in=record_ids, status=EncounterStatus.FINISHED, note__isnull=False)
        .select_related("note", "institution")
        .only(*SHOWN)
        .annotate(correction=versions.in_force("note__pk"))
        .order_by("-arrived_at", "-pk")
    )
    if than is not None:
        rows = rows.exclude(pk=than.pk)
    if before is not None:
        rows = rows.filter(
            Q(arrived_at__lt=before.arrived_at) | Q(arrived_at=before.arrived_at, pk__lt=before.pk)
        )
    found = list(rows[: PAGE + 1])
    for visit in found:
        versions.take(visit.note, visit.correction)
    return found[:PAGE], len(found) > PAGE
