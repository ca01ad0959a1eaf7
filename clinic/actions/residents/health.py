"""Allergies and standing problems. Nothing is deleted: an allergy is refuted, a problem resolved."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.actions.residents.locking import filled, locked, past_day
from clinic.codes import Act
from clinic.errors import Conflict, Refused
from clinic.models import Allergy, Problem


@transaction.atomic
def record_allergy(*, resident, substance, by, reaction="", since=None, request=None):
    """Whoever treats the resident may record what was learnt, also away from home."""
    row = locked(resident, by, home_only=False)
    made = Allergy(
        resident=row,
        substance=filled(substance, "substance", 60),
        reaction=_short(reaction, "reaction", 100),
        since=since and past_day(since, "since"),
        recorded_by=by,
    )
    with violations.told(Allergy):
        made.save(force_insert=True)
    if row.no_known_allergies_on:
        row.no_known_allergies_on = None
        row.save(update_fields=["no_known_allergies_on"])
    audit.record(Act.CREATE, by=by, request=request, resident=row, obj=made)
    return made


@transaction.atomic
def refute_allergy(*, allergy, by, on=None, request=None):
    """The resident bears the substance after all, as of a day."""
    row = locked(allergy.resident.survivor, by, home_only=False)
    allergy = Allergy.objects.select_for_update().get(pk=allergy.pk)
    if allergy.refuted_on:
        raise Conflict(_("This allergy is refuted already."), code="ended")
    allergy.refuted_on = past_day(on, "on")
    allergy.save(update_fields=["refuted_on"])
    audit.record(
        Act.CHANGE, by=by, request=request, resident=row, obj=allergy, detail={"fields": ["refuted_on"]}
    )
    return allergy


@transaction.atomic
def set_no_known_allergies(*, resident, by, on=None, request=None):
    """Asked, and none known: told apart from never asked."""
    row = locked(resident, by, home_only=False)
    if Allergy.objects.filter(resident__in=row.record_ids(), refuted_on=None).exists():
        raise Refused(_("Allergies are recorded. Refute them first."), code="allergic")
    row.no_known_allergies_on = past_day(on, "on")
    row.save(update_fields=["no_known_allergies_on"])
    detail = {"fields": ["no_known_allergies_on"]}
    audit.record(Act.CHANGE, by=by, request=request, resident=row, obj=row, detail=detail)
    return row


@transaction.atomic
def add_problem(*, resident, name, by, system="", code="", chronic=True, since=None, request=None):
    row = locked(resident, by, home_only=False)
    made = Problem(
        resident=row,
        name=filled(name, "name", 200),
        system=system,
        code=code,
        chronic=chronic,
        since=since and past_day(since, "since"),
        recorded_by=by,
    )
    with violations.told(Problem):
        made.save(force_insert=True)
    audit.record(Act.CREATE, by=by, request=request, resident=row, obj=made)
    return made


@transaction.atomic
def resolve_problem(*, problem, by, on=None, request=None):
    row = locked(problem.resident.survivor, by, home_only=False)
    problem = Problem.objects.select_for_update().get(pk=problem.pk)
    if problem.resolved_on:
        raise Conflict(_("This problem is resolved already."), code="ended")
    problem.resolved_on = past_day(on, "on")
    problem.save(update_fields=["resolved_on"])
    audit.record(
        Act.CHANGE, by=by, request=request, resident=row, obj=problem, detail={"fields": ["resolved_on"]}
    )
    return problem


def _short(text, field, limit):
    return filled(text, field, limit) if (text or "").strip() else ""
