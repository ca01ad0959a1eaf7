"""The week in figures, as plain counting has it; what is signed stands; the meeting goes on where the last one ended."""

import threading
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from clinic.codes import Role
from clinic.errors import Conflict, Refused
from clinic.verification import Scope
from maintenance import verification
from maintenance.actions import meetings, reports, tickets
from maintenance.codes import Module, Severity, TicketKind
from maintenance.models import ActionItem, Backup, LinkHour, Meeting, WeeklyReport
from maintenance.weekly import chart, figures, making
from tests import factories

MONDAY = date(2026, 11, 16)
ZONE = ZoneInfo("Asia/Shanghai")
AFTER = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)


def at(day, hour, minute=0, second=0):
    return datetime(2026, 11, day, hour, minute, second, tzinfo=ZONE)


@pytest.fixture
def bureau(district):
    return {"it": factories.user(Role.DISTRICT_IT, district), "head": factories.user(Role.DISTRICT, district)}


@pytest.fixture
def week(fault, people):
    """Five told in the week, two beside it; three closed, one of them told before."""
    it = people["it"]
    before = fault(now=at(15, 23, 59, 59))
    told = [
        fault(now=at(16, 0)), fault(now=at(18, 9), module=Module.NETWORK, severity=Severity.ORDINARY), fault(now=at(18, 10)),
        fault(now=at(20, 9), kind=TicketKind.SUGGESTION), fault(now=at(22, 23, 59, 59)),
    ]  # fmt: skip
    fault(now=at(23, 0))
    for row, minutes in ((before, 60), (told[0], 30), (told[2], 90)):
        tickets.accept(ticket=row, by=it, now=row.reported_at + timedelta(minutes=minutes))
        tickets.fix(ticket=row, by=it, words="好", now=row.reported_at + timedelta(minutes=minutes * 2))
        tickets.confirm(ticket=row, by=it, now=row.reported_at + timedelta(minutes=minutes * 3))
    tickets.merge(ticket=told[4], into=told[1], by=it, now=at(22, 23, 59, 59))
    return told


def test_the_figures_are_what_counting_gives(week):
    told = figures.of_week(MONDAY)
    assert (told["new"], told["closed"], told["severity"]) == (5, 3, {"serious": 4, "ordinary": 1})
    assert told["kind"] == {"fault": 4, "suggestion": 1}
    assert told["problems"] == [["chart", 4, 1], ["network", 1, 0]]
    assert told["medians"] == {"response": 60, "resolve": 120}
    assert told["places"] == [["胡家园站", 5]]
    assert told["weeks"][-2:] == [["2026-11-09", 1, 0], ["2026-11-16", 5, 3]]


def test_of_an_empty_week_nothing_is_made_up(level):
    told = figures.of_week(MONDAY)
    assert (told["new"], told["medians"], told["messages"]["percent"]) == (
        0,
        {"response": None, "resolve": None},
        None,
    )
    assert chart.of(told["weeks"]) is None


@pytest.mark.parametrize(
    ("part", "whole", "told"), [(1, 3, 33.33), (99_999, 100_000, 99.99), (5, 5, 100), (0, 0, None)]
)
def test_a_hundred_percent_is_said_of_what_is_whole(part, whole, told):
    assert figures.percent(part, whole) == told


def test_backups_and_lines_of_the_week(level, station):
    for day, state in ((17, "done"), (18, "failed"), (24, "failed")):
        Backup.objects.create(began_at=at(day, 1), state=state, ended_at=at(day, 2), sha256="a")
    told = figures.of_week(MONDAY)
    assert told["backups"] == {"done": 1, "failed": 1}
    assert (told["lines"]["probes"], LinkHour.objects.count()) == (0, 0)


def test_what_it_costs_does_not_grow(week, django_assert_max_num_queries):
    with django_assert_max_num_queries(15):
        figures.of_week(MONDAY)


# The report ------------------------------------------------------------------------------------------


@pytest.fixture
def report(week, bureau):
    return reports.make(monday=MONDAY, by=bureau["it"], now=AFTER)


def write(report, by, **words):
    return reports.write(report=report, words=words, seen=reports.fingerprint(report), by=by)


def test_made_written_signed_frozen(client, report, bureau):
    client.force_login(bureau["it"])
    address = f"/weekly/{MONDAY}/"
    client.post(f"{address}write", {"seen": reports.fingerprint(report), "summary": "一切正常"})
    client.force_login(bureau["head"])
    page = client.get(address)
    client.post(f"{address}sign", {"seen": page.context["seen"]})
    report.refresh_from_db()
    assert (report.signed_by, report.words["summary"]) == (bureau["head"], "一切正常")
    page = client.get(address).content.decode()
    assert report.sha256 in page
    assert "<textarea" not in page
    assert verification.weekly_reports(Scope()).ok


def test_two_writers_lose_nothing(client, report, bureau):
    client.force_login(bureau["it"])
    seen = reports.fingerprint(report)
    client.post(f"/weekly/{MONDAY}/write", {"seen": seen, "summary": "甲写的"})
    answer = client.post(f"/weekly/{MONDAY}/write", {"seen": seen, "summary": "乙写的"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "甲写的" in page
    assert "乙写的" in page
    report.refresh_from_db()
    assert report.words["summary"] == "甲写的"


def test_not_signed_empty_nor_early_nor_by_anybody(report, bureau, people):
    with pytest.raises(Refused):
        reports.sign(report=report, by=bureau["head"], seen=reports.fingerprint(report), now=AFTER)
    row = write(report, bureau["it"], summary="好")
    with pytest.raises(Refused):
        reports.sign(report=row, by=bureau["head"], seen=reports.fingerprint(row), now=at(20, 9))
    for who in (bureau["it"], people["vendor"]):
        with pytest.raises(Refused):
            reports.sign(report=row, by=who, seen=reports.fingerprint(row), now=AFTER)
    with pytest.raises(Conflict):
        reports.sign(report=row, by=bureau["head"], seen="x", now=AFTER)


@pytest.mark.django_db(transaction=True)
def test_a_signed_report_is_changed_by_nobody(report, bureau, as_owner):
    row = write(report, bureau["it"], summary="好")
    reports.sign(report=row, by=bureau["head"], seen=reports.fingerprint(row), now=AFTER)
    for change in (
        "UPDATE maintenance_weeklyreport SET words = '{}'",
        "DELETE FROM maintenance_weeklyreport",
    ):
        with pytest.raises(Exception, match="never"):
            as_owner.execute(f"SET pgtrigger.ignore = '*'; {change}")
    again = reports.make(monday=MONDAY, by=bureau["it"], now=AFTER + timedelta(days=1))
    assert again.made_at == AFTER


def test_the_job_makes_what_is_missing_once(level):
    assert making.make_missing(AFTER) == 3
    assert making.make_missing(AFTER) == 0
    assert WeeklyReport.objects.first().monday == MONDAY


@pytest.mark.parametrize("monday", ["2026-11-17", "2099-01-05", "x", "2026-11-16\x00"])
def test_no_report_of_an_odd_week(client, level, bureau, monday):
    client.force_login(bureau["it"])
    assert client.post("/weekly/make", {"monday": monday}).status_code in (302, 400, 404)
    assert not WeeklyReport.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VENDOR, 200), (Role.MANAGER, 200), (Role.DOCTOR, 403), (Role.CLERK, 403)]
)
def test_who_reads_reports_and_meetings(client, report, district, role, status):
    client.force_login(factories.user(role, district))
    for address in ("/weekly/", f"/weekly/{MONDAY}/", "/meetings/"):
        assert client.get(address).status_code == status
    assert client.post(f"/weekly/{MONDAY}/write", {"seen": "", "summary": "x"}).status_code == 403


# The meeting -----------------------------------------------------------------------------------------


@pytest.fixture
def meeting(report, bureau):
    return meetings.call(key=uuid.uuid4(), held_at=AFTER, by=bureau["head"])


def ask(meeting, bureau, **more):
    given = {
        "words": "换线路",
        "owner": bureau["it"],
        "due_on": date(2026, 11, 30),
        "key": uuid.uuid4(),
        **more,
    }
    return meetings.ask(meeting=meeting, by=bureau["head"], **given)


def test_the_agenda_comes_from_the_report(meeting):
    assert meeting.report.monday == MONDAY
    assert "2026-11-16" in meeting.agenda[0]
    assert any("4" in line for line in meeting.agenda[1:])


def test_actions_are_carried_over_until_done(client, meeting, bureau):
    item = ask(meeting, bureau)
    following = meetings.call(key=uuid.uuid4(), held_at=AFTER + timedelta(days=7), by=bureau["head"])
    client.force_login(bureau["head"])
    assert item in client.get(f"/meetings/{following.uuid}/").context["left"]
    client.force_login(bureau["it"])
    client.post(f"/meetings/items/{item.uuid}/end", {"state": "done", "note": "换好了"})
    client.force_login(bureau["head"])
    assert item not in client.get(f"/meetings/{following.uuid}/").context["left"]
    item.refresh_from_db()
    assert (item.state, item.note) == ("done", "换好了")


def test_dropping_says_why_and_ended_stays_ended(meeting, bureau):
    item = ask(meeting, bureau)
    with pytest.raises(Refused):
        meetings.end(item=item, by=bureau["it"], state="dropped")
    meetings.end(item=item, by=bureau["it"], state="done")
    with pytest.raises(Conflict):
        meetings.end(item=item, by=bureau["it"], state="dropped", note="算了")


def test_by_pages_with_attendance_until_closed(client, level, bureau):
    client.force_login(bureau["head"])
    key = uuid.uuid4()
    for _n in range(2):
        answer = client.post("/meetings/", {"key": key, "held_at": "2026-11-23T09:00", "place": "三楼"})
    row = Meeting.objects.get()
    client.post(
        f"{answer.url}act/minutes", {"decisions": "按期", "people": [bureau["it"].uuid, bureau["head"].uuid]}
    )
    client.post(f"{answer.url}act/minutes", {"decisions": "按期落实", "people": [bureau["it"].uuid]})
    client.post(
        f"{answer.url}act/ask",
        {"key": uuid.uuid4(), "words": "换线", "owner": bureau["it"].uuid, "due_on": "2026-11-30"},
    )
    client.post(f"{answer.url}act/close")
    row.refresh_from_db()
    assert [one.person for one in row.attendance.all()] == [bureau["it"]]
    assert client.post(f"{answer.url}act/minutes", {"decisions": "改口"}).status_code == 409
    assert (row.decisions, ActionItem.objects.count()) == ("按期落实", 1)
    with pytest.raises(IntegrityError):
        Meeting.objects.update(decisions="改口")


@pytest.mark.parametrize("change", [{"words": ""}, {"due_on": "2020-01-01"}, {"ticket_number": "2026-999999"}, {"owner": uuid.uuid4()}, {"words": "a\x00"}])  # fmt: skip
def test_odd_actions_get_a_sentence(client, meeting, bureau, change):
    client.force_login(bureau["head"])
    data = {
        "key": uuid.uuid4(),
        "words": "换线",
        "owner": bureau["it"].uuid,
        "due_on": "2026-11-30",
        **change,
    }
    assert client.post(f"/meetings/{meeting.uuid}/act/ask", data).status_code == 400
    assert not ActionItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_write_at_once_are_one_text_and_one_conflict(level, bureau):
    report = reports.make(monday=MONDAY, by=bureau["it"], now=AFTER)
    seen = reports.fingerprint(report)
    gate, told = threading.Barrier(2), []

    def run(text):
        gate.wait()
        try:
            told.append(
                reports.write(report=report, words={"summary": text}, seen=seen, by=bureau["it"]).words[
                    "summary"
                ]
            )
        except Conflict as conflict:
            told.append(conflict.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(text,)) for text in ("甲", "乙")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.refresh_from_db()
    assert sorted(told) == sorted(["seen", report.words["summary"]])
    assert timezone.localdate(AFTER) == date(2026, 11, 23)
