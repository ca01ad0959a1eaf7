"""What a doctor must see of a resident before anything else, and the visits before this one.

Read once the visit is known to be in the doctor's reach: allergies are shown even when the access to a
resident of another institution has run out since the visit began.
"""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from clinic.models import Allergy, KeyTag, Problem
from emr.codes import EncounterStatus
from emr.models import Encounter

PAGE = 10


@dataclass(frozen=True)
class Banner:
    allergies: list
    problems: list
    key_tags: list
    age_groups: list


def of(person, ids) -> Banner:
    """Three queries. ``ids`` are the rows of the person's file (Resident.record_ids)."""
    day = timezone.localdate()
    tags = KeyTag.objects.filter(Q(until=None) | Q(until__gte=day), resident__in=ids)
    return Banner(
        allergies=_once(Allergy.objects.filter(resident__in=ids, refuted_on=None), "substance"),
        problems=_once(Problem.objects.filter(resident__in=ids, resolved_on=None), "name"),
        key_tags=_once(tags, "tag"),
        age_groups=person.age_groups_on(day),
    )


def _once(rows, name):
    """A merged file may say the same thing twice."""
    return list({getattr(row, name): row for row in rows}.values())


def previous(user, ids, than=None, before=None) -> tuple[list, bool]:
    """The next ten finished visits with their notes, newest first, and whether there are more.

    ``than`` is the visit being charted, left out; ``before`` the last one already shown. One query.
    """
    rows = (
        Encounter.objects.visible_to(user)
        .filter(resident__in=ids, status=EncounterStatus.FINISHED, note__isnull=False)
        .select_related("note", "institution", "doctor")
        .order_by("-arrived_at", "-pk")
    )
    if than is not None:
        rows = rows.exclude(pk=than.pk)
    if before is not None:
        rows = rows.filter(
            Q(arrived_at__lt=before.arrived_at) | Q(arrived_at=before.arrived_at, pk__lt=before.pk)
        )
    found = list(rows[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE
