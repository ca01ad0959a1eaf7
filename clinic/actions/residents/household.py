"""Households: people under one roof, at most one of them the head."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.actions.residents.locking import locked
from clinic.codes import Act, HouseholdRelation
from clinic.errors import Forbidden, Refused
from clinic.models import Household, Resident

FIELDS = ["household", "household_relation"]


@transaction.atomic
def set_household(*, resident, relation, by, household=None, request=None):
    """Put the resident into a household with a relation to its head; without one, a new household begins
    at the resident's address."""
    row = locked(resident, by)
    if relation not in HouseholdRelation:
        raise Refused(_("Please choose the relation to the head."), field="relation")
    if household is None:
        household = Household.objects.create(community=row.community, address=row.address, home=row.home)
        audit.record(Act.CREATE, by=by, request=request, resident=row, obj=household)
    elif not household.home.path.startswith(by.institution.path):
        raise Forbidden(_("This household belongs to another institution."), field="household")
    elif row.household_id != household.pk:
        _refuse_headless(row)
    row.household, row.household_relation = household, relation
    with violations.told(Resident):
        row.save(update_fields=FIELDS)
    audit.record(Act.CHANGE, by=by, request=request, resident=row, obj=row, detail={"fields": FIELDS})
    return row


@transaction.atomic
def leave_household(*, resident, by, request=None):
    row = locked(resident, by)
    if row.household_id is None:
        raise Refused(_("The resident is in no household."))
    _refuse_headless(row)
    row.household, row.household_relation = None, ""
    row.save(update_fields=FIELDS)
    audit.record(Act.CHANGE, by=by, request=request, resident=row, obj=row, detail={"fields": FIELDS})
    return row


def household_of_member(*, number, by):
    """The household of somebody within reach, by whole record or ID number."""
    rows = Resident.objects.in_scope(by).current().select_related("household__home")
    member = rows.filter(record_number=number).first() or rows.filter(id_number=number).first()
    if member is None:
        raise Refused(_("Nobody of your residents has this number."), field="member")
    if member.household is None:
        raise Refused(_("This person is in no household yet. Begin one on their page first."), field="member")
    return member.household


def _refuse_headless(row):
    """The head goes last: whoever stays is told by their relation to somebody who is there."""
    if row.household_relation != HouseholdRelation.HEAD:
        return
    if row.household.members.filter(merged_into=None).exclude(pk=row.pk).exists():
        raise Refused(
            _("The head cannot leave while others stay. Give the head another relation first."), code="head"
        )
