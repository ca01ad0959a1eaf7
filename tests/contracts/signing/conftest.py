"""A team with packages and text, and a family of its station."""

from datetime import date

import pytest

from clinic.codes import HouseholdRelation, Role
from clinic.models import Household
from tests import factories
from tests.contracts import desk_build as build


@pytest.fixture
def team(station, district):
    made = build.team(station)
    made.version = build.version(district, age_to=120)
    made.paid = build.version(district, "OLD", age_from=65)
    made.paper = build.text(district)
    return made


@pytest.fixture
def person(station):
    return factories.resident(station, name="李梅", born=date(1980, 5, 1), address="胡家园1号")


@pytest.fixture
def clerk(client, station):
    made = factories.user(Role.CLERK, station)
    client.force_login(made)
    return made


@pytest.fixture
def family(station, person):
    """Head, her son, her mother: 李梅, 王小宝, 李奶奶."""
    person.household = Household.objects.create(home=station)
    person.household_relation = HouseholdRelation.HEAD
    person.save()
    rest = (
        ("王小宝", date(2019, 3, 1), HouseholdRelation.SON),
        ("李奶奶", date(1950, 1, 1), HouseholdRelation.PARENT),
    )
    return [
        person,
        *(
            factories.resident(
                station, name=name, born=born, household=person.household, household_relation=part
            )
            for name, born, part in rest
        ),
    ]
