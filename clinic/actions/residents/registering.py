"""Registering a resident, keeping the facts, and where they live now."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, duplicates, record_numbers, registration, violations
from clinic.actions.residents.locking import locked, past_day
from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident

# What has an action of its own, or is nobody's to type.
APART = frozenset(
    {"household", "household_relation", "life_state", "life_state_on", "no_known_allergies_on", "merged_into",
     "source_id", "created_at", "uuid"}
)  # fmt: skip


@transaction.atomic
def register(*, resident, by, request=None, confirmed=False):
    """Keep a new resident. The same ID is always refused; other likenesses (clinic.duplicates) until
    somebody has looked and ``confirmed`` that it is another person."""
    registration.tidy(resident)
    registration.derive(resident)
    _check_reach(resident, by)
    _refuse_first(registration.problems(resident))
    found = duplicates.candidates(resident, by)
    if any(match.certain for match in found):
        raise Conflict(duplicates.certain_sentence(found), code="taken", field="id_number")
    if found and not confirmed:
        raise Conflict(_("This person may be registered already. Please compare."), code="duplicates")
    if resident.community_id and not resident.record_number:
        resident.record_number = record_numbers.take_next(resident.community)
    with violations.told(Resident):
        resident.save(force_insert=True)
    audit.record(Act.CREATE, by=by, request=request, resident=resident, obj=resident)
    return resident


@transaction.atomic
def change(*, resident, changed, by, request=None):
    """Keep the ``changed`` fields of a resident, taken from the given row onto the locked one."""
    changed = set(changed) - APART
    row = locked(resident, by)
    for field in changed:
        setattr(row, field, getattr(resident, field))
    registration.tidy(row)
    _check_reach(row, by)
    _refuse_first(registration.problems(row, changed))
    if {"id_type", "id_number"} & changed:
        found = [match for match in duplicates.candidates(row, by) if match.certain]
        if found:
            raise Conflict(duplicates.certain_sentence(found), code="taken", field="id_number")
    if row.community_id and not row.record_number:
        row.record_number = record_numbers.take_next(row.community)
        changed.add("record_number")
    if not changed:
        return row
    with violations.told(Resident):
        row.save(update_fields=sorted(changed))
    audit.record(
        Act.CHANGE, by=by, request=request, resident=row, obj=row, detail={"fields": sorted(changed)}
    )
    return row


@transaction.atomic
def set_life_state(*, resident, state, by, on=None, request=None):
    """Living here, moved away or deceased, since when. A death lies not before the birth."""
    row = locked(resident, by)
    if state not in LifeState:
        raise Refused(_("Please choose one of the states."), field="state")
    on = past_day(on, "on")
    if on < row.birth_date:
        raise Refused(_("The date lies before the birth."), field="on")
    row.life_state, row.life_state_on = state, on
    row.save(update_fields=["life_state", "life_state_on"])
    detail = {"fields": ["life_state", "life_state_on"]}
    audit.record(Act.CHANGE, by=by, request=request, resident=row, obj=row, detail=detail)
    return row


def _check_reach(resident, by):
    if resident.home_id is None:
        resident.home = by.institution
    if not resident.home.path.startswith(by.institution.path):
        raise Forbidden(_("The institution is not within your reach."), field="home")
    if not resident.home.active:
        raise Refused(_("This institution is closed."), field="home")


def _refuse_first(found):
    for field, sentence in found.items():
        raise Refused(sentence, code="invalid", field=field, fields=found)
