"""A row of every kind that the desk shows on a page of its own: one in the reader's reach, one outside it, and who
reads it. A newly registered model wants its line here."""

from datetime import date

from clinic.codes import InstitutionKind, Role
from clinic.models import Community
from emr.codes import System
from emr.models import TermRelease
from tests import factories


def _resident(where):
    return factories.resident(where)


def _user(where):
    return factories.user(Role.NURSE, where)


def _visit(where):
    return factories.encounter(factories.resident(where), factories.user(Role.DOCTOR, where))


def _note(where):
    return _visit(where).note


def _station(where):
    return factories.institution(InstitutionKind.STATION, f"X{where.pk}", "新站", where.parent)


def _community(where):
    return Community.objects.create(
        code=f"110101001{where.pk % 1000:03d}", name="社区", street="街道", institution=where
    )


def _release(where):
    return TermRelease.objects.create(system=System.ICD10, name=f"r{where.pk}", valid_from=date(2020, 1, 1))


# label: (how to make a row at an institution, the role that reads it, whether other institutions' rows are hidden)
ROWS = {
    "clinic.community": (_community, Role.DISTRICT, False),
    "clinic.institution": (_station, Role.SYSADMIN, False),
    "clinic.resident": (_resident, Role.CLERK, True),
    "clinic.user": (_user, Role.SYSADMIN, True),
    "emr.encounter": (_visit, Role.CLERK, True),
    "emr.termrelease": (_release, Role.DISTRICT, False),
}
HIDDEN = {label for label, (_make, _role, hidden) in ROWS.items() if hidden}


def make(label, station, other_station):
    """(row in reach, row outside it or None, a person of the station who may read the first)."""
    create, role, hidden = ROWS[label]
    return create(station), create(other_station) if hidden else None, factories.user(role, station)
