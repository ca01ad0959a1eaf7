"""Agreements of an old system from Excel: every wrong row is named, the good ones come in once, whatever runs twice."""

import io
import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import load_workbook

from clinic.codes import LifeState, Role
from contracts import batching
from contracts.actions import batches, teams
from contracts.codes import AgreementState, BatchKind, BatchState
from contracts.importing import checking, columns
from contracts.models import Agreement, Batch, PlanItem, TeamMember
from tests import factories
from tests.contracts import desk_build as build

pytestmark = pytest.mark.django_db


@pytest.fixture
def team(station):
    return build.team(station)


@pytest.fixture
def base(district):
    return build.version(district)


@pytest.fixture
def people(station):
    return [factories.resident(station, name=f"居民{n}") for n in range(4)]


def line(person, number="", **given):
    values = {
        "foreign_number": number, "name": person.name, "id_number": person.id_number, "team": "一队",
        "packages": "BASE", "start": timezone.localdate() - timedelta(days=30), "years": 1, **given,
    }  # fmt: skip
    return list(values.values())


def sheet(rows, headings=("foreign_number", "name", "id_number", "team", "packages", "start", "years")):
    return build.upload(rows, list(headings))


def bring_in(upload, by, station):
    report = checking.examine(upload, by)
    batch = batches.start(
        key=uuid.uuid4(), kind=BatchKind.IMPORT, institution=station, rows=report.lines, orders={}, by=by
    )
    batching.work(batch.pk)
    batch.refresh_from_db()
    return batch


def test_good_rows_come_in_with_packages_and_plan(clerk, station, team, base, people):
    batch = bring_in(sheet([line(one, f"A{n}") for n, one in enumerate(people)]), clerk, station)
    assert (batch.state, batch.lines_done, batch.lines_refused) == (BatchState.DONE, 4, 0)
    made = Agreement.objects.get(foreign_number="A0")
    assert (made.state, made.resident, made.team, made.doctor) == (
        "signed",
        people[0],
        team,
        build.leader(team),
    )
    assert (made.packages.get().version, made.fee, made.waived) == (base, 120, 100)
    assert PlanItem.objects.filter(agreement=made).get().times == 4
    assert made.history.count() == 1


def test_a_second_time_is_harmless(clerk, station, team, base, people):
    rows = [line(one, f"A{n}") for n, one in enumerate(people)]
    bring_in(sheet(rows), clerk, station)
    report = checking.examine(sheet(rows), clerk)
    assert (report.good, report.known, report.bad) == (0, 4, 0)
    assert bring_in(sheet(rows), clerk, station).lines_done == 4
    assert Agreement.objects.count() == 4


def test_two_batches_of_the_same_sheet_make_each_agreement_once(clerk, station, team, base, people):
    """Both were checked before either was written."""
    given = {"kind": BatchKind.IMPORT, "institution": station, "orders": {}, "by": clerk}
    two = [
        batches.start(key=uuid.uuid4(), rows=checking.examine(sheet([line(people[0])]), clerk).lines, **given)
        for _time in range(2)
    ]
    for batch in two:
        batching.work(batch.pk)
    assert Agreement.objects.count() == 1
    assert [batch.lines.get().made for batch in two] == [Agreement.objects.get()] * 2


def test_what_is_over_comes_in_as_expired(clerk, station, team, base, people):
    long_ago = timezone.localdate() - timedelta(days=800)
    bring_in(sheet([line(people[0], start=long_ago)]), clerk, station)
    made = Agreement.objects.get()
    assert (made.state, made.ended_on) == (AgreementState.EXPIRED, made.end)


def test_one_that_begins_on_the_morrow_is_a_renewal(clerk, station, team, base, people):
    last_year = timezone.localdate() - timedelta(days=366)
    old = build.agreement(people[0], team, start=last_year, end=timezone.localdate() - timedelta(days=1))
    bring_in(sheet([line(people[0], start=timezone.localdate())]), clerk, station)
    assert Agreement.objects.exclude(pk=old.pk).get().follows == old


WRONG = {
    "name": ({"name": "别人"}, "姓名", "另一个姓名"),
    "id": ({"id_number": "110101195803070000"}, "", ""),
    "team": ({"team": "九队"}, "", ""),
    "package": ({"packages": "NONE"}, "", ""),
    "start": ({"start": "很久以前"}, "", ""),
    "years": ({"years": 5}, "", ""),
    "number": ({"id_number": 110101195803070024}, "", ""),
    "formula": ({"team": "#REF!"}, "", ""),
    "surrogate": ({"start": True}, "", ""),
    "far": ({"start": "2206-01-01"}, "", ""),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_cell_is_named_with_row_and_column(clerk, team, base, people, case):
    rows = [line(people[0]), line(people[1], **WRONG[case][0]), line(people[2])]
    report = checking.examine(sheet(rows), clerk)
    assert (report.rows, report.good, report.bad) == (3, 2, 1)
    assert {fault.row for fault in report.faults} == {3}
    assert all(fault.column and fault.sentence for fault in report.faults)


def test_the_deceased_have_no_agreement_in_force(clerk, team, base, people):
    people[0].life_state = LifeState.DECEASED
    people[0].save()
    assert checking.examine(sheet([line(people[0])]), clerk).bad == 1


def test_a_package_for_others_is_refused(clerk, district, team, people):
    build.version(district, "KIDS", age_to=6)
    report = checking.examine(sheet([line(people[0], packages="KIDS")]), clerk)
    assert [fault.row for fault in report.faults] == [2]


def test_rows_that_cannot_both_be_are_named(clerk, team, base, people):
    rows = [line(people[0], "A1"), line(people[0], "A2"), line(people[1], "A1")]
    report = checking.examine(sheet(rows), clerk)
    assert [fault.row for fault in report.faults] == [3, 4]


def test_days_with_another_agreement_are_wrong(clerk, team, base, people):
    build.agreement(people[0], team)
    assert checking.examine(sheet([line(people[0])]), clerk).bad == 1


def test_people_and_teams_of_others_are_not_found(station, other_station, team, base, people):
    build.team(other_station, "外队")
    stranger = factories.user(Role.CLERK, other_station)
    report = checking.examine(sheet([line(people[0]), line(people[1], team="外队")]), stranger)
    assert report.bad == 2
    assert not any(row.resident_id for row in report.lines)


def test_the_cap_stops_the_row_that_is_one_too_many(clerk, station, team, base, people):
    team.cap = 2
    team.save()
    report = checking.examine(sheet([line(one) for one in people]), clerk)
    assert (report.good, report.bad) == (2, 2)


def test_the_cap_holds_when_the_sheet_is_written_too(clerk, station, team, base, people):
    report = checking.examine(sheet([line(one) for one in people]), clerk)
    team.cap = 3
    team.save()
    batch = batches.start(
        key=uuid.uuid4(), kind=BatchKind.IMPORT, institution=station, rows=report.lines, orders={}, by=clerk
    )
    batching.work(batch.pk)
    batch.refresh_from_db()
    assert (batch.lines_done, batch.lines_refused) == (3, 1)


# At the desk ---------------------------------------------------------------------------------------

PAGE = "/admin/contracts/agreement/import/"


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def test_the_template_is_filled_in_with_our_headings(desk, team, base, people):
    book = load_workbook(io.BytesIO(desk.get(PAGE + "template/").content))
    headings = [cell.value for cell in book.worksheets[0][1]]
    assert not {column.name for column in columns.COLUMNS} - columns.places(headings).keys()


def test_a_trial_run_writes_nothing(desk, team, base, people):
    answer = desk.post(
        PAGE, {"key": uuid.uuid4(), "file": sheet([line(people[0]), line(people[1], team="九队")])}
    )
    assert (answer.context["report"].good, answer.context["report"].bad) == (1, 1)
    assert not Batch.objects.exists()


def test_all_or_none(desk, team, base, people):
    wrong = [line(people[0]), line(people[1], team="九队")]
    desk.post(PAGE, {"key": uuid.uuid4(), "what": "all", "file": sheet(wrong)})
    assert not Batch.objects.exists()


def test_the_good_rows_alone_and_two_clicks_once(desk, team, base, people):
    rows, key = [line(people[0]), line(people[1], team="九队")], uuid.uuid4()
    for _click in range(2):
        assert desk.post(PAGE, {"key": key, "what": "good", "file": sheet(rows)}).status_code == 302
    batch = Batch.objects.get()
    batching.work(batch.pk)
    batch.refresh_from_db()
    assert (batch.lines_done, batch.lines_refused, Agreement.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("file", [b"", b"PK\x03\x04broken", b"\xff\xfe\x00nothing", "甲,乙\n1,2\n".encode()])
def test_what_is_no_sheet_is_a_sentence(desk, file):
    answer = desk.post(PAGE, {"key": uuid.uuid4(), "what": "all", "file": SimpleUploadedFile("x.xlsx", file)})
    assert answer.status_code == 400
    assert answer.context["refusal"]


def test_who_may_not_import(client, station, team, base, people):
    client.force_login(factories.user(Role.AUDITOR, station))
    assert (
        client.post(PAGE, {"key": uuid.uuid4(), "what": "all", "file": sheet([line(people[0])])}).status_code
        == 403
    )
    assert client.get(PAGE + "template/").status_code == 403


def test_the_agreement_of_an_absorbed_file_counts(clerk, station, team, base, people):
    """Known by its number; in the way of another one. Also where the files were merged after the sheet was checked."""
    bring_in(sheet([line(people[0], "A1")]), clerk, station)
    checked = checking.examine(sheet([line(people[1])]), clerk).lines
    people[0].merged_into = people[1]
    people[0].save()
    report = checking.examine(
        sheet([line(people[1], "A1"), line(people[1], start=timezone.localdate())]), clerk
    )
    assert (report.known, report.bad) == (1, 1)
    checked[0].data["start"] = timezone.localdate().isoformat()
    given = {"kind": BatchKind.IMPORT, "institution": station, "orders": {}, "by": clerk}
    batch = batches.start(key=uuid.uuid4(), rows=checked, **given)
    batching.work(batch.pk)
    assert (batch.lines.get().state, Agreement.objects.count()) == ("refused", 1)


def test_signed_before_there_were_family_doctors_is_wrong(clerk, team, base, people):
    headings = ("name", "id_number", "team", "packages", "start", "signed_on")
    row = [people[0].name, people[0].id_number, "一队", "BASE", timezone.localdate(), "0001-01-01"]
    assert checking.examine(sheet([row], headings), clerk).bad == 1


def test_two_numbers_of_different_people_are_wrong(clerk, team, base, people):
    people[1].record_number = "11010100100100001"
    people[1].save()
    headings = ("name", "id_number", "record_number", "team", "packages", "start")
    given = ["一队", "BASE", timezone.localdate()]
    rows = [[one.name, one.id_number, "11010100100100001", *given] for one in people[:2]]
    report = checking.examine(sheet(rows, headings), clerk)
    assert ([fault.row for fault in report.faults], report.good) == ([2], 1)


def test_the_cap_of_a_doctor_who_left_the_team_holds_too(clerk, station, team, base, people):
    gone = factories.user(Role.DOCTOR, station, name="已离队")
    yesterday = timezone.localdate() - timedelta(days=1)
    TeamMember.objects.create(team=team, person=gone, role="doctor", since=yesterday, until=yesterday)
    teams.keep_practice(institution=station, by=factories.user(Role.MANAGER, station), cap_doctor=1)
    headings = ("name", "id_number", "team", "doctor", "packages", "start")
    rows = [[one.name, one.id_number, "一队", "已离队", "BASE", timezone.localdate()] for one in people]
    report = checking.examine(sheet(rows, headings), clerk)
    assert (report.good, report.bad) == (1, 3)
