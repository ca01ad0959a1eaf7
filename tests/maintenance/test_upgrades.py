"""An upgrade cannot begin before the gate is met; everybody hears of it; what goes wrong afterwards is seen."""

import threading
import uuid
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic import metering, page_notices
from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry, RequestMinute
from emr.models import Encounter
from maintenance.actions import upgrades as actions
from maintenance.codes import Formula, Measure
from maintenance.models import Breach, Clause, Contact, EmergencyPlan, Notice, Upgrade, VendorContract
from maintenance.upgrading import gate, notices, watching, window
from messaging.models import Message
from tests import factories

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)
START = datetime(2026, 11, 27, 20, 0, tzinfo=ZONE)
END = START + timedelta(hours=2)


@pytest.fixture
def people(district, centre):
    return {
        "vendor": factories.user(Role.VENDOR, district), "it": factories.user(Role.DISTRICT_IT, district, phone="13911110001"),
        "head": factories.user(Role.DISTRICT, district), "manager": factories.user(Role.MANAGER, centre),
    }  # fmt: skip


@pytest.fixture
def plan(district):
    return EmergencyPlan.objects.create(institution=district, name="停用预案", when="升级")


@pytest.fixture
def draft(people, plan, station, other_station):
    def make(**other):
        fields = {
            "release": "V6.2", "modules": ["chart"], "what": "提速", "impact": "停二十分钟", "roll_back": "切回", "plan": plan,
            "starts_at": START, "ends_at": END, "rehearsed_on": date(2026, 11, 20), "rehearsal": "好", "responsible": people["it"],
            **other,
        }  # fmt: skip
        sites = {station: ["charting"], other_station: ["charting"]}
        return actions.plan(key=uuid.uuid4(), by=people["vendor"], sites=sites, now=NOW, **fields)

    return make


@pytest.fixture
def announced(draft, people):
    row = actions.assess(upgrade=draft(), by=people["it"], now=NOW)
    row = actions.approve(upgrade=row, by=people["head"], now=NOW)
    return actions.announce(upgrade=row, by=people["it"], now=NOW)


@pytest.fixture
def known(announced, people):
    """Acknowledged by one, overridden for the other."""
    here, there = announced.sites.order_by("institution__path")
    actions.acknowledge(site=here, by=people["manager"], now=NOW)
    actions.override(site=there, by=people["head"], reason="电话确认", now=NOW)
    return announced


@pytest.fixture
def watched(known, people):
    row = actions.begin(upgrade=known, by=people["it"], now=START + timedelta(minutes=1))
    return actions.finish(upgrade=row, by=people["it"], now=START + timedelta(minutes=30))


# The gate --------------------------------------------------------------------------------------------


def test_from_draft_to_review(watched, people):
    with pytest.raises(Refused):
        actions.close(upgrade=watched, by=people["it"], review=" ")
    row = actions.close(upgrade=watched, by=people["it"], review="顺利", now=START + timedelta(days=3))
    assert (row.state, row.review) == ("closed", "顺利")
    assert [one.kind for one in Notice.objects.order_by("pk")] == ["coming", "running", "over"]


@pytest.mark.parametrize(
    "missing", [{"impact": ""}, {"roll_back": ""}, {"plan": None}, {"rehearsed_on": None}]
)
def test_what_is_not_written_is_not_assessed(draft, people, missing):
    with pytest.raises(Refused) as refusal:
        actions.assess(upgrade=draft(**missing), by=people["it"], now=NOW)
    assert refusal.value.code == "gate"


def test_it_does_not_begin_before_every_institution_knows(announced, people, station):
    with pytest.raises(Refused) as refusal:
        actions.begin(upgrade=announced, by=people["it"], now=START)
    assert station.short_name in refusal.value.message
    announced.refresh_from_db()
    assert announced.state == "announced"


@pytest.mark.parametrize("moment", [START - timedelta(minutes=1), END])
def test_nor_outside_its_window(known, people, moment):
    with pytest.raises(Refused):
        actions.begin(upgrade=known, by=people["it"], now=moment)


def test_the_author_does_not_approve(draft, people, plan):
    by_it = actions.plan(
        key=uuid.uuid4(), by=people["it"], sites={}, now=NOW, release="V7", modules=["chart"], what="x", impact="x", roll_back="x",
        plan=plan, starts_at=START, ends_at=END, rehearsed_on=date(2026, 11, 20), rehearsal="", responsible=people["it"],
    )  # fmt: skip
    row = actions.assess(upgrade=by_it, by=people["it"], now=NOW)
    with pytest.raises(Forbidden):
        actions.approve(upgrade=row, by=people["it"])
    Upgrade.objects.filter(pk=row.pk).update(author=people["head"])
    with pytest.raises(Refused) as refusal:
        actions.approve(upgrade=row, by=people["head"])
    assert refusal.value.code == "author"


def test_changed_it_is_a_draft_again(draft, people, station):
    row = actions.assess(upgrade=draft(), by=people["it"], now=NOW)
    fields = {name: getattr(row, name) for name in actions.FIELDS} | {"what": "别的"}
    row = actions.change(upgrade=row, by=people["vendor"], sites={station: ["all"]}, now=NOW, **fields)
    assert (row.state, row.assessed_at, row.sites.count()) == ("draft", None, 1)


@pytest.mark.parametrize(
    ("starts_at", "ends_at"), [(NOW - timedelta(hours=1), END), (END, START), (START, START)]
)
def test_no_window_in_the_past_or_backwards(draft, starts_at, ends_at):
    with pytest.raises(Refused):
        draft(starts_at=starts_at, ends_at=ends_at)
    assert not Upgrade.objects.exists()


def test_an_override_says_why_and_is_audited(announced, people):
    site = announced.sites.first()
    with pytest.raises(Refused):
        actions.override(site=site, by=people["head"], reason="  ")
    with pytest.raises(Forbidden):
        actions.override(site=site, by=people["it"], reason="急")
    actions.override(site=site, by=people["head"], reason="停电", now=NOW)
    assert AuditEntry.objects.filter(act="decide", reason="停电").exists()


def test_who_is_elsewhere_acknowledges_nothing(client, announced, people, other_centre):
    stranger = factories.user(Role.MANAGER, other_centre)
    site = announced.sites.order_by("institution__path").first()
    with pytest.raises(Forbidden):
        actions.acknowledge(site=site, by=stranger)
    client.force_login(stranger)
    assert (
        client.post(f"/upgrades/{announced.uuid}/sites/{site.institution.uuid}/acknowledge").status_code
        == 404
    )


def test_a_moved_window_is_announced_and_acknowledged_anew(known, people):
    row = actions.move(
        upgrade=known,
        by=people["it"],
        starts_at=START + timedelta(days=1),
        ends_at=END + timedelta(days=1),
        now=NOW,
    )
    assert Notice.objects.first().kind == "moved"
    assert not row.sites.exclude(acknowledged_at=None, overridden_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_holds_the_plan_and_the_end(known, people, as_owner):
    with pytest.raises(Exception, match="never changes"):
        as_owner.execute("SET pgtrigger.ignore = '*'; UPDATE maintenance_upgrade SET impact = ''")
    with pytest.raises(Exception, match="does not go"):
        as_owner.execute("UPDATE maintenance_upgrade SET state = 'closed', review = 'x'")
    actions.cancel(upgrade=known, by=people["it"], reason="改期", now=NOW)
    with pytest.raises(Exception, match="never changes"):
        as_owner.execute("UPDATE maintenance_upgrade SET end_note = ''")


def test_rolled_back_it_is_charged(watched, people, level):
    contract = VendorContract.objects.create(
        number="YW", vendor="明桥", starts=date(2026, 1, 1), ends=date(2026, 12, 31), amount=1, level=level
    )
    Clause.objects.create(
        contract=contract,
        number="7",
        words="升级失败",
        measure=Measure.UPGRADE_FAILED,
        formula=Formula.EACH,
        amount=2000,
    )
    row = actions.roll_back(upgrade=watched, by=people["it"], reason="保存失败", now=END)
    assert row.state == "rolled_back"
    assert Breach.objects.get().facts["upgrade"] == "V6.2"


# Who is told ----------------------------------------------------------------------------------------


def test_contacts_hear_once_and_again_when_it_moves(draft, people, centre, other_centre):
    for place, phone in ((centre, "13911112222"), (other_centre, "13911113333")):
        Contact.objects.create(institution=place, side="centre_it", name="网管", phone=phone)
    row = actions.approve(
        upgrade=actions.assess(upgrade=draft(), by=people["it"], now=NOW), by=people["head"], now=NOW
    )
    row = actions.announce(upgrade=row, by=people["it"], now=NOW)
    assert Message.objects.count() == 2
    actions.move(
        upgrade=row,
        by=people["it"],
        starts_at=START + timedelta(days=1),
        ends_at=END + timedelta(days=1),
        now=NOW,
    )
    assert Message.objects.count() == 4
    assert [notices.remind(NOW + timedelta(hours=n)) for n in (1, 2, 25)] == [2, 0, 2]
    assert Message.objects.count() == 8


def pages(client, user):
    page_notices.board.refresh(timezone.now())
    client.force_login(user)
    return client.get("/", follow=True).content.decode()


def test_everybody_concerned_reads_it(client, people, doctor, stranger, plan, station):
    """Announced, running and over, at the doctors' pages and the desk; another centre's people read nothing."""
    now = timezone.now()
    row = actions.plan(
        key=uuid.uuid4(), by=people["vendor"], sites={station: ["all"]}, release="V9", modules=["chart"], what="x", impact="x",
        roll_back="x", plan=plan, starts_at=now + timedelta(seconds=1), ends_at=now + timedelta(hours=1),
        rehearsed_on=timezone.localdate(), rehearsal="", responsible=people["it"],
    )  # fmt: skip
    assert "V9" not in pages(client, doctor)
    actions.announce(
        upgrade=actions.approve(upgrade=actions.assess(upgrade=row, by=people["it"]), by=people["head"]),
        by=people["it"],
    )
    assert "V9" in pages(client, doctor)
    assert "V9" in pages(client, people["manager"])
    assert "V9" not in pages(client, stranger)
    actions.acknowledge(site=row.sites.get(), by=people["manager"])
    actions.begin(upgrade=row, by=people["it"], now=now + timedelta(seconds=2))
    assert "page-notice-running" in pages(client, doctor)
    assert "V9" in client.get("/notices").content.decode()
    actions.finish(upgrade=row, by=people["it"])
    assert "page-notice-over" in pages(client, doctor)


def test_a_page_asks_nothing_more_for_it(client, doctor, django_assert_num_queries):
    client.force_login(doctor)
    client.get("/notices")
    with django_assert_num_queries(2):
        client.get("/notices")


# The window ------------------------------------------------------------------------------------------


def test_the_window_is_held_against_past_visits(doctor, station):
    for week in (1, 2):
        for minute in (5, 20, 40):
            row = factories.encounter(factories.resident(station), doctor)
            Encounter.objects.filter(pk=row.pk).update(
                arrived_at=START.replace(minute=minute) - timedelta(days=7 * week)
            )
    found = window.look(START, END, [station.path], NOW)
    assert (found.visits, found.then) == (1.5, 0)
    assert found.quieter > NOW
    assert window.look(START, END, ["/elsewhere/"], NOW).visits == 0


@given(
    st.dictionaries(st.integers(0, 167), st.integers(0, 50), max_size=30),
    st.integers(0, 167 * 4),
    st.integers(1, 40),
)
def test_hours_that_are_cut_count_by_their_part(usual, quarter, length):
    since = datetime(2026, 11, 23, tzinfo=ZONE) + timedelta(minutes=15 * quarter)
    until = since + timedelta(minutes=15 * length)
    slow = sum(
        usual.get(
            (since + timedelta(minutes=n)).astimezone(ZONE).weekday() * 24
            + (since + timedelta(minutes=n)).hour,
            0,
        )
        / 60
        for n in range(15 * length)
    )
    assert window._met(usual, since, until) == pytest.approx(slow)


# The watch -------------------------------------------------------------------------------------------


def minute(at, requests=100, errors=0, slow=0):
    buckets = [requests - slow] + [0] * 12 + [slow, 0]
    RequestMinute.objects.create(minute=at, process="p", requests=requests, errors=errors, buckets=buckets)


def test_hours_stand_beside_those_a_week_before(watched):
    minute(START - timedelta(days=7), 200)
    minute(START, 300, errors=30)
    assert watching.watch(START + timedelta(hours=2)) == 2
    assert watching.watch(START + timedelta(hours=2)) == 0
    first = watched.hours.first()
    assert (first.now["errors"], first.before["requests"], first.alarming) == (30, 200, True)
    assert Message.objects.count() == 1
    assert watching.watch(START + timedelta(days=30)) == watching.HOURS - 2


@pytest.mark.parametrize(("now", "alarming"), [({"errors": 5}, False), ({"errors": 6}, True), ({"saves_failed": 6}, True), ({"tickets": 3}, False), ({"tickets": 4}, True), ({"p95": 500}, False), ({"p95": 750}, True)])  # fmt: skip
def test_what_is_alarming(now, alarming):
    quiet = {"errors": 0, "saves_failed": 0, "tickets": 0, "p95": 100}
    assert watching.is_alarming({**quiet, **now}, quiet) is alarming


def test_requests_are_counted_by_any_thread_and_written_once(db):
    meter, moment = metering.Meter(), NOW.replace(second=30)
    threads = [
        threading.Thread(
            target=lambda: [meter.add(500 if n % 10 == 0 else 200, 40, moment) for n in range(100)]
        )
        for _t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metering.write(moment, meter, "p") == 0
    assert metering.write(moment + timedelta(minutes=1), meter, "p") == 1
    assert metering.write(moment + timedelta(minutes=1), meter, "p") == 0
    told = metering.of_time(NOW, NOW + timedelta(minutes=1))
    assert told == {"requests": 400, "errors": 40, "p95": 50}
    assert metering.forget(NOW + timedelta(days=16)) == 1


def test_every_page_is_counted(client):
    before = metering.meter.take(timezone.now() + timedelta(days=1))
    client.get("/sign-in")
    [row] = metering.meter.take(timezone.now() + timedelta(days=1)).values()
    assert (row[0], before is not row) == (1, True)


# Pages -----------------------------------------------------------------------------------------------


def test_by_pages_from_plan_to_acknowledgement(client, people, plan, station):
    client.force_login(people["vendor"])
    data = {
        "key": uuid.uuid4(), "release": "V8", "responsible": people["it"].uuid, "starts_at": "2099-01-01T20:00", "ends_at": "2099-01-01T22:00",
        "modules": ["chart"], "businesses": ["charting"], "places": [station.uuid], "what": "x", "impact": "x", "roll_back": "x",
        "plan": plan.uuid, "rehearsed_on": "2026-11-20",
    }  # fmt: skip
    for _n in range(2):
        answer = client.post("/upgrades/plan", data)
    row = Upgrade.objects.get()
    assert answer.url == f"/upgrades/{row.uuid}/"
    assert client.post(f"/upgrades/{row.uuid}/act/approve").status_code == 403
    for who, act in (("it", "assess"), ("head", "approve"), ("it", "announce")):
        client.force_login(people[who])
        assert client.post(f"/upgrades/{row.uuid}/act/{act}").status_code == 302
    client.force_login(people["manager"])
    assert "V8" in client.get("/upgrades/").content.decode()
    client.post(f"/upgrades/{row.uuid}/sites/{station.uuid}/acknowledge")
    assert row.sites.get().acknowledged_by == people["manager"]
    client.force_login(people["it"])
    assert client.post(f"/upgrades/{row.uuid}/act/begin").status_code == 400


@pytest.mark.parametrize("change", [{"ends_at": "2099-01-01T19:00"}, {"starts_at": "2020-01-01T20:00"}, {"places": []}, {"modules": ["x"]}, {"what": "a\x00"}])  # fmt: skip
def test_odd_plans_get_a_sentence(client, people, station, change):
    client.force_login(people["vendor"])
    data = {
        "key": uuid.uuid4(), "release": "V8", "responsible": people["it"].uuid, "starts_at": "2099-01-01T20:00", "ends_at": "2099-01-01T22:00",
        "modules": ["chart"], "businesses": ["charting"], "places": [station.uuid], "what": "x", **change,
    }  # fmt: skip
    assert client.post("/upgrades/plan", data).status_code == 400
    assert not Upgrade.objects.exists()


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.DOCTOR, 403), (Role.CLERK, 403), (Role.AUDITOR, 403), (Role.CENTRE_IT, 200), (Role.VENDOR, 200)],
)
def test_who_sees_upgrades(client, announced, district, role, status):
    client.force_login(factories.user(role, district))
    for address in ("/upgrades/", f"/upgrades/{announced.uuid}/"):
        assert client.get(address).status_code == status


def test_what_the_page_costs(client, announced, people, django_assert_max_num_queries):
    client.force_login(people["head"])
    with django_assert_max_num_queries(15):
        client.get(f"/upgrades/{announced.uuid}/")
    assert len(gate.lines(announced, NOW)) == 9


@pytest.mark.django_db(transaction=True)
def test_begun_once_by_two(known, people):
    barrier, told = threading.Barrier(2), []

    def run():
        barrier.wait()
        try:
            told.append(actions.begin(upgrade=known, by=people["it"], now=START).state)
        except Conflict as conflict:
            told.append(conflict.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["running", "state"]
    assert Notice.objects.filter(kind="running").count() == 1
