"""How an institution works: its own choices, and where it left them open those above."""

import pytest

from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from emr import practice
from emr.actions.practice import keep
from emr.codes import InsuranceWay, Prompt
from emr.models import Practice
from tests import factories
from tests.emr.test_races import at_once, codes

pytestmark = pytest.mark.django_db
SANDBOX = InsuranceWay.SANDBOX
NOTHING = {"insurance": "", "prompts": {}, "unfolded": []}


@pytest.fixture
def business(district):
    return factories.user(Role.DISTRICT, district, name="区管")


@pytest.fixture
def desk(client):
    """The desk as somebody sees it."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def test_where_nobody_chose_the_houses_defaults_hold(station):
    assert practice.of(station) == practice.Choices(InsuranceWay.BY_HAND, {}, [])


def test_the_nearest_choice_holds_and_the_rest_comes_from_above(district, centre, station, business):
    keep(institution=district, insurance=SANDBOX, prompts={"chronic": False, "education": False}, unfolded=["signs"],
         by=business)  # fmt: skip
    keep(institution=station, insurance="", prompts={"education": True}, unfolded=[], by=business)
    assert practice.of(station) == practice.Choices(SANDBOX, {"chronic": False, "education": True}, ["signs"])


def test_it_is_said_whose_each_choice_is(district, station, business):
    keep(institution=district, insurance=SANDBOX, prompts={"chronic": False}, unfolded=[], by=business)
    keep(institution=station, insurance="", prompts={"chronic": True}, unfolded=["vitals"], by=business)
    found = practice.sources(station)
    assert (found["insurance"].value, found["insurance"].institution) == (SANDBOX, district)
    assert (found["chronic"].value, found["chronic"].institution) == (True, station)
    assert found["education"] == practice.Source(True, None)
    assert found["unfolded"].institution == station


def test_both_readings_cost_one_query(station, django_assert_num_queries):
    for read in (practice.of, practice.sources):
        with django_assert_num_queries(1):
            read(station)


def test_a_manager_keeps_the_own_centre_and_what_is_below(manager, centre, station, other_station, district):
    for place in (centre, station):
        assert keep(institution=place, by=manager, **{**NOTHING, "insurance": SANDBOX}).insurance == SANDBOX
    for place in (other_station, district):
        with pytest.raises(Forbidden):
            keep(institution=place, by=manager, **NOTHING)


@pytest.mark.parametrize("role", [Role.DOCTOR, Role.NURSE, Role.CLERK, Role.SYSADMIN, Role.AUDITOR])
def test_others_keep_nothing(role, station):
    with pytest.raises(Forbidden):
        keep(institution=station, by=factories.user(role, station), **NOTHING)


@pytest.mark.parametrize(
    "wrong",
    [
        {"insurance": "fax"}, {"prompts": {"chronic": "yes"}}, {"prompts": {"x": True}}, {"unfolded": ["treatment"]},
        {"prompts": []}, {"unfolded": "signs"},
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused(manager, station, wrong):
    with pytest.raises(Refused):
        keep(institution=station, by=manager, **{**NOTHING, **wrong})
    assert not Practice.objects.exists()


def test_changes_stand_in_history_and_trail_and_no_change_in_neither(manager, station):
    for way in (SANDBOX, SANDBOX, ""):
        row = keep(institution=station, by=manager, **{**NOTHING, "insurance": way})
    assert row.history.count() == 2
    acts = AuditEntry.objects.filter(object_id=str(row.uuid)).order_by("pk").values_list("act", flat=True)
    assert list(acts) == [Act.CREATE, Act.CHANGE]


@pytest.mark.django_db(transaction=True)
def test_two_set_up_one_institution_at_once(manager, station, centre):
    other = factories.user(Role.MANAGER, centre)
    outcomes = at_once(
        *(
            lambda by=by, way=way: keep(institution=station, by=by, **{**NOTHING, "insurance": way})
            for by, way in ((manager, SANDBOX), (other, InsuranceWay.BY_HAND))
        )
    )
    assert codes(outcomes) in ([], ["taken"])
    assert Practice.objects.count() == 1


# At the desk --------------------------------------------------------------------------------------------


def typed(institution=None, **chosen):
    fields = {f"prompt_{rule.value}": "" for rule in Prompt}
    return {
        **fields,
        "insurance": "",
        **({"institution": str(institution.uuid)} if institution else {}),
        **chosen,
    }


def test_a_manager_sets_up_a_station(desk, manager, station):
    page = desk(manager)
    answer = page.post(
        "/admin/emr/practice/add/",
        typed(
            station,
            insurance="sandbox",
            prompt_chronic="off",
            prompt_education="on",
            unfolded=["signs", "vitals"],
        ),
    )
    assert answer.status_code == 302
    row = Practice.objects.get()
    assert (row.institution, row.insurance) == (station, SANDBOX)
    assert row.prompts == {"chronic": False, "education": True}
    assert row.unfolded == ["signs", "vitals"]


def test_the_page_says_what_is_in_force_and_whose_it_is(desk, manager, centre, station):
    keep(institution=centre, by=manager, **{**NOTHING, "insurance": SANDBOX})
    row = keep(institution=station, by=manager, **{**NOTHING, "unfolded": ["signs"]})
    page = desk(manager).get(f"/admin/emr/practice/{row.uuid}/change/").content.decode()
    assert "沙箱接口" in page
    assert f"由{centre}设定" in page


def test_changing_keeps_what_was_not_touched(desk, manager, station):
    row = keep(
        institution=station, insurance=SANDBOX, prompts={"chronic": False}, unfolded=["signs"], by=manager
    )
    page = desk(manager)
    page.post(
        f"/admin/emr/practice/{row.uuid}/change/",
        typed(insurance="sandbox", prompt_chronic="off", prompt_no_firm="off", unfolded="signs"),
    )
    kept = Practice.objects.get()
    assert (kept.insurance, kept.unfolded) == (SANDBOX, ["signs"])
    assert kept.prompts == {"chronic": False, "no_firm": False}


def test_another_centres_practice_is_not_found(desk, manager, business, other_station):
    row = keep(institution=other_station, by=business, **NOTHING)
    assert desk(manager).get(f"/admin/emr/practice/{row.uuid}/change/").status_code == 404
    assert desk(manager).post("/admin/emr/practice/add/", typed(other_station)).status_code == 200
    assert Practice.objects.count() == 1


def test_the_district_keeps_all(desk, business, other_station):
    assert desk(business).post("/admin/emr/practice/add/", typed(other_station)).status_code == 302


def test_an_auditor_has_no_business_there(desk, auditor):
    assert desk(auditor).get("/admin/emr/practice/").status_code == 403


def test_the_manager_finds_worklist_and_reconciliation_on_the_desk(desk, manager):
    page = desk(manager).get("/admin/").content.decode()
    for address in ("/insurance", "/insurance/reconciliation", "/admin/emr/practice/"):
        assert f'href="{address}"' in page
