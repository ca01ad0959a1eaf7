"""Lines are knocked at for real; who does not answer gets one ticket; what is old or narrow is seen."""

import socket
import threading
from contextlib import closing
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from maintenance.actions import tickets
from maintenance.models import Equipment, LinkHour, LinkState, Ticket
from maintenance.things import chart, probing, wants
from tests import factories

NOW = timezone.now()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def listener():
    """Somebody who answers on this machine."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=200)) as server:
        yield server


@pytest.fixture
def closed():
    """A port that refuses: taken and let go again."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


def line(where, port, **more):
    given = {
        "kind": "line",
        "name": "站点专线",
        "host": "127.0.0.1",
        "port": port,
        "failures": 3,
        "bandwidth": 100,
        **more,
    }
    return Equipment.objects.create(institution=where, **given)


def test_a_line_that_answers_is_written_down(station, level, listener):
    row = line(station, listener.getsockname()[1])
    assert [probing.probe(NOW), probing.probe(NOW + MINUTE)] == [1, 1]
    state, hours = LinkState.objects.get(equipment=row), LinkHour.objects.filter(equipment=row)
    assert (state.ok, state.failed, Ticket.objects.count()) == (True, 0, 0)
    assert state.round_trip > 0
    assert sum(one.probes for one in hours) == 2


def test_a_silent_line_gets_one_ticket_and_another_after_it_came_back(station, level, closed, listener):
    row = line(station, closed)
    for n in range(5):
        probing.probe(NOW + MINUTE * n)
    made = Ticket.objects.get()
    assert (made.channel, made.module, made.equipment, made.institution, made.reporter) == (
        "probe",
        "network",
        row,
        station,
        None,
    )
    assert made.reported_at == NOW + MINUTE * 2
    Equipment.objects.filter(pk=row.pk).update(port=listener.getsockname()[1])
    probing.probe(NOW + MINUTE * 9)
    assert "9" in made.events.get(kind="comment").words
    Equipment.objects.filter(pk=row.pk).update(port=closed)
    tickets.close(
        ticket=made,
        by=factories.user(Role.DISTRICT_IT, station.parent.parent),
        closing="answered",
        words="好",
    )
    for n in range(20, 24):
        probing.probe(NOW + MINUTE * n)
    assert Ticket.objects.count() == 2


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.1.1.1", "a" * 90, "…"])
def test_an_odd_address_is_a_silent_line(station, level, host):
    line(station, 80, host=host)
    assert probing.probe(NOW) == 1
    assert LinkState.objects.get().ok is False


def test_what_is_not_in_use_is_left_alone(station, level, closed):
    line(station, closed, active=False)
    Equipment.objects.create(institution=station, kind="printer", name="打印机")
    assert probing.probe(NOW) == 0


def test_many_lines_at_once(station, level, listener):
    for n in range(60):
        line(station, listener.getsockname()[1], name=f"线路{n}")
    began = timezone.now()
    assert probing.probe(NOW) == 60
    assert timezone.now() - began < timedelta(seconds=20)
    assert LinkState.objects.filter(ok=True).count() == 60


@pytest.mark.django_db(transaction=True)
def test_two_workers_open_one_ticket(station, level, closed):
    row = line(station, closed, failures=1)
    gate = threading.Barrier(2)

    def run():
        gate.wait()
        probing.probe(NOW)
        connection.close()

    threads = [threading.Thread(target=run) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (Ticket.objects.count(), LinkState.objects.get(equipment=row).failed) == (1, 2)
    assert sum(one.probes for one in LinkHour.objects.all()) == 2


# Pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def things(station, centre, other_station):
    today = timezone.localdate()
    return {
        "narrow": line(station, 9, bandwidth=50, name="窄线"),
        "old": Equipment.objects.create(institution=centre, kind="server", name="老服务器", bought_on=today - timedelta(days=3000), replace_on=today, warranty_until=today - timedelta(days=1)),
        "fresh": Equipment.objects.create(institution=centre, kind="server", name="新服务器", bought_on=today, replace_on=today + timedelta(days=9)),
        "elsewhere": Equipment.objects.create(institution=other_station, kind="printer", name="别站打印机"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "bandwidth", "wanted"),
    [("line", 50, 100), ("line", 100, None), ("switch", 50, None), ("line", None, None)],
)
def test_what_a_line_should_carry(station, kind, bandwidth, wanted):
    assert wants.narrow(Equipment(institution=station, kind=kind, bandwidth=bandwidth)) == wanted


def test_age_in_whole_years():
    assert wants.age(Equipment(bought_on=date(2020, 11, 24)), date(2026, 11, 23)) in (5, 6)
    assert wants.age(Equipment(), date(2026, 11, 23)) is None


@pytest.mark.parametrize(("show", "names"), [("narrow", {"窄线"}), ("due", {"老服务器"}), ("warranty", {"老服务器"}), ("", {"窄线", "老服务器", "新服务器"}), ("x", {"窄线", "老服务器", "新服务器"})])  # fmt: skip
def test_the_list_shows_what_is_asked(client, things, centre, show, names):
    client.force_login(factories.user(Role.CENTRE_IT, centre))
    assert {row.name for row in client.get(f"/equipment/?show={show}").context["rows"]} == names


def test_hidden_elsewhere_and_for_doctors(client, things, centre, doctor):
    client.force_login(factories.user(Role.CENTRE_IT, centre))
    assert client.get(f"/equipment/{things['old'].uuid}/").status_code == 200
    assert client.get(f"/equipment/{things['elsewhere'].uuid}/").status_code == 404
    assert client.get("/equipment/sheet")["Content-Type"].startswith("application/vnd")
    client.force_login(doctor)
    assert client.get("/equipment/").status_code == 403


def test_a_thing_tells_its_faults(client, things, fault, district):
    made = fault(equipment=things["old"], institution=things["old"].institution)
    client.force_login(factories.user(Role.DISTRICT_IT, district))
    assert made.number in client.get(f"/equipment/{things['old'].uuid}/").content.decode()
    assert "state-bad" in client.get("/equipment/").content.decode()


def test_what_the_list_costs(client, things, district, django_assert_max_num_queries):
    client.force_login(factories.user(Role.DISTRICT_IT, district))
    with django_assert_max_num_queries(11):
        client.get("/equipment/")


def test_the_chart_of_nothing_and_of_silence():
    assert chart.of([]) is None
    [bar] = chart.of([{"hour": "x", "mean": None, "probes": 4, "failed": 4}]).bars
    assert (bar.failed, bar.height) == (chart.HEIGHT, 2)
