"""The process that runs all simulated carriers, really started; its page; what the demo's rows make of it."""

import asyncio
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from clinic import start
from messaging import gateways, secrets
from messaging.gateways.base import Account, Verdict
from messaging.models import AllowedAddress, Gateway, GatewayHealth, Route
from messaging.seeding import gateways as seeding
from messaging.simulators import accounts
from messaging.simulators.company import Company, Mistold, words_of
from messaging.simulators.control import TOKEN
from messaging.simulators.ledger import read_ledger
from tests.messaging.gateways.stand import Ears, segment, send_many, until


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """The process: ports, its folder, and the process itself."""
    folder = tmp_path_factory.mktemp("carriers")
    environ = {
        **os.environ, "SHEYI_VAR": str(folder), "SHEYI_SECRET_KEY": settings.SECRET_KEY, "PYTHONUNBUFFERED": "1",
        "SHEYI_CARRIERS": json.dumps({"reports": free_port(), "hook": ""}),
    }  # fmt: skip
    words = ["--ports", '{"control": 0}', "--ledger", str(folder / "ledger")]
    with subprocess.Popen(
        [sys.executable, "manage.py", "simulate_carriers", *words],
        env=environ, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        ports = {}
        for line in process.stdout:
            name, _, address = line.strip().partition(": ")
            ports[name] = int(address.rpartition(":")[2])
            if name == "Simulated carriers":
                break
        yield SimpleNamespace(
            ports=ports, control=ports["Simulated carriers"], folder=folder, process=process
        )
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind((accounts.LOOPBACK, 0))
        return probe.getsockname()[1]


def ask(running, method, path, body=None, **headers):
    """(status, headers, text) of the control page."""
    link = http.client.HTTPConnection(accounts.LOOPBACK, running.control, timeout=10)
    link.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = link.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def wish(running, token=None, **fields):
    body = urlencode({"token": accounts.control_token() if token is None else token, "lang": "en", **fields})
    return ask(running, "POST", "/wish", body, Content_Type="application/x-www-form-urlencoded")


def tell(running, carrier, words=(), token=None, **more):
    body = json.dumps({"carrier": carrier, "words": dict(words), **more})
    return ask(
        running, "POST", "/tell", body, **{TOKEN: accounts.control_token() if token is None else token}
    )


def status(running, name):
    return next(one for one in json.loads(tell(running, name)[2])["carriers"] if one["name"] == name)


async def send_five(account):
    ears = Ears()
    pool = gateways.open_pool(account, ears)
    await pool.start()
    await until(lambda: ears.changes)
    await send_many(pool, ears, 5)
    await pool.stop(0.2)
    return ears


@pytest.mark.parametrize("name", list(accounts.DEMOS))
def test_every_carrier_takes_messages_over_its_own_protocol(running, name):
    demo = accounts.DEMOS[name]
    options = {**accounts.options(name), "listen_port": None, "retry_first": 0.05}
    account = Account(
        1, demo.protocol, accounts.LOOPBACK, running.ports[name], demo.login, demo.secret, demo.access_number,
        options=options,
    )  # fmt: skip
    assert asyncio.run(send_five(account)).verdicts() == {Verdict.ACCEPTED: 5}
    entries = json.loads(tell(running, name, ledger=5)[2])["entries"]
    assert {one["phone"] for one in entries} == {segment(at).phone for at in range(1, 6)}


def test_the_ledger_is_written_for_other_processes(running):
    path = running.folder / "ledger" / "smpp.jsonl"
    asyncio.run(until(lambda: len(read_ledger(path)) >= 5))
    assert {"phone", "text", "part", "remote_id"} <= read_ledger(path)[0].keys()


def test_the_page_shows_every_carrier_in_both_languages(running):
    code, headers, page = ask(running, "GET", "/?lang=en")
    assert code == 200
    assert "Simulated carriers" in page
    assert all(f"127.0.0.1:{running.ports[name]}" in page for name in accounts.DEMOS)
    assert "China Unicom, SGIP" in page
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "模拟运营商" in ask(running, "GET", "/")[2]
    assert "style=" not in page


def test_the_pages_files_are_served_and_no_others(running):
    assert ask(running, "GET", "/own/css/carriers.css")[0] == 200
    assert ask(running, "GET", "/own/css/chart.css")[0] == 404
    assert ask(running, "GET", "/own/../manage.py")[0] == 404
    assert ask(running, "GET", "/ledger/nobody")[0] == 404


def test_the_ledgers_page_shows_no_whole_phone(running):
    page = ask(running, "GET", "/ledger/cmpp3?lang=en")[2]
    assert segment(1).phone not in page
    assert f"…{segment(1).phone[-4:]}" in page


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", ""])
def test_a_name_from_the_net_is_not_let_in(running, host):
    assert ask(running, "GET", "/", Host=host)[0] in (400, 403)


def test_another_sites_page_steers_nothing(running):
    body = urlencode({"token": accounts.control_token(), "wish": "down", "carrier": "all"})
    assert ask(running, "POST", "/wish", body, Origin="https://evil.example")[0] == 403
    assert wish(running, token="wrong", wish="down", carrier="all")[0] == 403
    assert wish(running, token="é", wish="down", carrier="all")[0] == 403
    assert tell(running, "all", {"down": True}, token="")[0] == 403
    assert all(one["open"] for one in json.loads(tell(running, "all")[2])["carriers"])


def test_a_carrier_is_stopped_and_started_again(running):
    assert "Done." in wish(running, carrier="cmpp2", wish="down")[2]
    assert not status(running, "cmpp2")["open"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((accounts.LOOPBACK, running.ports["cmpp2"]))
    wish(running, carrier="cmpp2", wish="up")
    socket.create_connection((accounts.LOOPBACK, running.ports["cmpp2"])).close()


def test_faults_are_set_from_the_page(running):
    wish(running, carrier="smgp", words="latency=0.25 report_twice=1")
    assert status(running, "smgp")["faults"]["latency"] == 0.25
    assert "latency=0.25" in ask(running, "GET", "/carriers")[2]
    wish(running, carrier="smgp", moved="13300000001 13300000002")
    assert len(status(running, "smgp")["faults"]["moved"]) == 2


def test_faults_are_set_from_the_command(running, settings):
    settings.VAR = running.folder
    out = io.StringIO()
    call_command("simulate_carriers", "reset", "refuse=0.5", tell="smgp", stdout=out)
    assert json.loads(out.getvalue())["faults"]["refuse"] == 0.5
    with pytest.raises(CommandError, match="no such fault"):
        call_command("simulate_carriers", "nonsense=1", tell="smgp")
    assert status(running, "smgp")["faults"]["latency"] == 0


def test_a_message_from_a_handset_is_sent(running):
    wish(running, carrier="sgip", phone="13012345678", text="退订")
    assert status(running, "sgip")["reports_waiting"]["sheyi"] >= 1


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{", '{"words": 3}', '{"carrier": "x", "words": {"up": true}}', '{"ledger": "x"}'],
    ids=range(6),
)
def test_what_it_is_told_and_cannot_be_is_an_error(running, body):
    code, _, said = ask(running, "POST", "/tell", body, **{TOKEN: accounts.control_token()})
    assert code == 400
    assert "error" in json.loads(said)


def test_who_is_logged_in_may_leave_before_the_end():
    async def run():
        company = Company({})
        await company.start()
        link = await asyncio.open_connection(accounts.LOOPBACK, company.carriers["cmpp3"].port)
        await until(lambda: company.carriers["cmpp3"].sessions)
        ending = asyncio.create_task(company.empty(5))
        await asyncio.sleep(0.06)
        assert not ending.done()
        link[1].close()
        await asyncio.wait_for(ending, 1)
        await company.stop()

    asyncio.run(run())


def test_nothing_but_loopback_is_listened_on():
    for host in ("0.0.0.0", "10.0.0.1", "localhost", "::", "::1"):  # noqa: S104
        with pytest.raises(CommandError):
            call_command("simulate_carriers", host=host)


@pytest.mark.parametrize(
    "ports", ["x", "[]", '{"x": 1}', '{"sgip": -1}', '{"sgip": true}', '{"sgip": "1"}'], ids=range(6)
)
def test_ports_that_are_none_are_an_error(ports):
    with pytest.raises(CommandError):
        call_command("simulate_carriers", ports=ports)


def test_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind((accounts.LOOPBACK, 0))
        taken.listen()
        with pytest.raises(CommandError, match="smgp"):
            call_command("simulate_carriers", ports=json.dumps({"smgp": taken.getsockname()[1]}))


def test_words_of_the_command_line_are_json_or_text():
    assert words_of(["down", "latency=0.2", 'moved=["1"]', "stat=UNDELIV", "mo=138:a=b"]) == {
        "down": True, "latency": 0.2, "moved": ["1"], "stat": "UNDELIV", "mo": "138:a=b",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [{"mo": "138"}, {"mo": "x:TD"}, {"mo": "138:"}, {"latency": "x"}, {"up": True, "down": True}],
    ids=range(5),
)
def test_a_wrong_word_changes_nothing(words):
    async def run():
        company = Company({})
        with pytest.raises(Mistold):
            await company.tell("all", {"refuse": 1.0, **words} if "latency" not in words else words)
        return company

    if "latency" in words:
        assert asyncio.run(run()).carriers["cmpp3"].faults.latency == 0


@pytest.mark.django_db
def test_the_demos_gateways_have_routes():
    rows = seeding.make()
    assert seeding.make() == rows
    assert GatewayHealth.objects.count() == Gateway.objects.count() == len(accounts.DEMOS)
    assert Route.objects.filter(carrier="mobile").values_list("gateway__protocol", flat=True)[0] == "cmpp3"
    assert AllowedAddress.objects.get().network == "127.0.0.0/8"


@pytest.mark.django_db
def test_the_demos_gateways_follow_the_carriers(settings):
    rows, now = seeding.make(), settings.SMS_SIMULATORS
    settings.SMS_SIMULATORS_TOLD = True
    settings.SMS_SIMULATORS = {**now, "smpp": now["http"], "http": now["smpp"], "reports": 20123}
    seeding.point()
    for name, row in rows.items():
        row.refresh_from_db()
        assert row.port == settings.SMS_SIMULATORS[name]
    assert rows["sgip"].options["listen_port"] == 20123
    assert rows["cmpp3"].history.count() == 1


@pytest.mark.django_db
def test_a_row_that_somebody_pointed_elsewhere_stays(settings):
    row = seeding.make()["smgp"]
    settings.SMS_SIMULATORS_TOLD = True
    row.host, row.port = "10.1.2.3", 8890
    row.save()
    Gateway.objects.create(
        name="另一个", protocol="smgp", carrier="telecom", host="127.0.0.1", port=1, login="x"
    )
    seeding.point()
    row.refresh_from_db()
    assert (row.host, row.port) == ("10.1.2.3", 8890)
    assert Gateway.objects.get(login="x").port == 1


@pytest.mark.django_db
def test_rows_stay_where_nobody_said_where_the_carriers_are(settings):
    row = seeding.make()["smgp"]
    settings.SMS_SIMULATORS_TOLD, settings.SMS_SIMULATORS = False, {**settings.SMS_SIMULATORS, "smgp": 1}
    seeding.point()
    assert Gateway.objects.get(pk=row.pk).port == row.port


@pytest.mark.django_db
def test_a_new_installations_key_makes_new_secrets(settings):
    row = seeding.make()["cmpp3"]
    settings.SMS_SIMULATORS_TOLD, settings.SECRET_KEY = True, "another"
    seeding.point()
    row.refresh_from_db()
    assert secrets.reveal(row.secret) == accounts.DEMOS["cmpp3"].secret


def test_a_start_keeps_the_last_ports_while_they_are_free(tmp_path, monkeypatch):
    monkeypatch.setenv("SHEYI_VAR", str(tmp_path))
    first = start.carriers(8000)
    assert first["hook"] == "http://127.0.0.1:8000"
    assert start.carriers(8001) == {**first, "hook": "http://127.0.0.1:8001"}
    with socket.socket() as taken:
        taken.bind((accounts.LOOPBACK, first["sgip"]))
        taken.listen()
        second = start.carriers(8000)
    assert not {second[name] for name in start.CARRIERS} & {first["sgip"]}


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"cmpp3": "x"}', "null"], ids=range(5))
def test_a_spoilt_note_of_ports_is_made_anew(tmp_path, monkeypatch, note):
    monkeypatch.setenv("SHEYI_VAR", str(tmp_path))
    (tmp_path / "carriers.json").write_text(note)
    assert len({start.carriers(8000)[name] for name in start.CARRIERS}) == len(start.CARRIERS)
