"""The sandbox's client against the real sandbox over real sockets, in each of its moods."""

import io
import itertools
import socket
import threading
import time
import urllib.error
import urllib.request
import uuid
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from emr import insurance
from emr.codes import FilingFault, InsuranceWay
from emr.insurance import ByHand, Claim, Garbled, Outcome, Refused, Standing, TooSlow, Unreachable, wire
from emr.insurance.sandbox import Sandbox
from emr.insurance.service import Mood, Service
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.filings import SECRET, choose, referral_of, running_sandbox

CLAIM = Claim(
    key="", referral_number="ZZ-1", name="张秀英", sex="2", birth_date="1958-03-07", id_type="01",
    id_number="110101195803070024", insurance="resident_senior", insurance_number="110012345678", group="old",
    from_code="S0101", from_name="胡家园社区卫生服务站", to_code="", to_name="市第一医院", to_department="心内科",
    diagnoses=(("I10.x00", "高血压"),), impression="高血压3级", on=date(2026, 11, 22), doctor="王淑珍",
)  # fmt: skip


@pytest.fixture
def service():
    with running_sandbox() as made:
        yield made


@pytest.fixture
def client(service):
    return Sandbox(address=service.url, secret=SECRET, seconds=0.6)


@pytest.fixture
def claim():
    return replace(CLAIM, key=str(uuid.uuid4()))


def test_a_claim_gets_a_number_and_is_found_by_key_and_by_number(client, claim):
    booked = client.submit(claim)
    assert booked.standing is Standing.BOOKED
    assert insurance.NUMBER.fullmatch(booked.number)
    assert client.query(key=claim.key) == booked
    assert client.query(number=booked.number) == booked


def test_the_same_claim_sent_again_is_the_same_booking(client, claim, service):
    assert client.submit(claim) == client.submit(claim)
    assert len(service.ledger.rows) == 1


def test_what_was_never_sent_is_unknown(client, claim):
    assert client.query(key=claim.key) == Outcome(Standing.UNKNOWN)
    assert client.cancel("SB00000000", "x") == Outcome(Standing.UNKNOWN)


def test_cancelling_twice_is_cancelling_once(client, claim):
    number = client.submit(claim).number
    gone = Outcome(Standing.CANCELLED, number)
    assert [client.cancel(number, "撤销"), client.cancel(number, "撤销"), client.query(key=claim.key)] == [
        gone
    ] * 3


def test_a_cancelled_claim_is_not_booked_again(client, claim):
    client.cancel(client.submit(claim).number, "撤销")
    assert client.submit(claim).standing is Standing.CANCELLED


@pytest.mark.parametrize(
    ("mood", "fault"),
    [
        (Mood.SLOW, TooSlow), (Mood.DRIP, TooSlow), (Mood.DOWN, Unreachable), (Mood.REFUSE, Refused),
        (Mood.GARBAGE, Garbled), (Mood.HUGE, Garbled), (Mood.LOSE, Unreachable),
    ],
)  # fmt: skip
def test_each_mood_is_a_fault_of_ours_within_the_deadline(client, claim, mood, fault):
    client.control(mood.value)
    began = time.monotonic()
    with pytest.raises(fault):
        client.submit(claim)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("mood", [Mood.SLOW, Mood.DRIP, Mood.GARBAGE, Mood.HUGE, Mood.LOSE])
def test_what_was_booked_without_an_answer_is_found_later_and_not_booked_twice(client, claim, mood, service):
    client.control(mood.value)
    with pytest.raises(insurance.InsuranceFault):
        client.submit(claim)
    client.control("well")
    found = client.query(key=claim.key)
    assert found.standing is Standing.BOOKED
    assert client.submit(claim) == found
    assert len(service.ledger.rows) == 1


def test_a_refusal_books_nothing_and_brings_its_sentence(client, claim):
    client.control("refuse")
    with pytest.raises(Refused) as caught:
        client.submit(claim)
    assert (caught.value.code, caught.value.sentence) == ("4001", "参保状态异常，请到医保窗口核实")
    client.control("well")
    assert client.query(key=claim.key).standing is Standing.UNKNOWN


def test_a_double_booking_shows_as_two_numbers(client, claim):
    client.control("duplicate")
    second = client.submit(claim).number
    client.control("well")
    assert client.query(key=claim.key).number != second


def test_nobody_listening_is_unreachable(client, claim, service):
    service.server_close()
    with pytest.raises(Unreachable):
        client.submit(claim)


def test_a_wrong_secret_is_turned_away_and_its_answer_not_believed(service, claim):
    with pytest.raises(Garbled):
        Sandbox(address=service.url, secret="another", seconds=1).submit(claim)
    assert not service.ledger.rows


@pytest.mark.parametrize("body", [b"{}", b'{"mood": "down"}'])
def test_an_unsigned_or_replayed_request_is_turned_away(service, body):
    old = str(int(time.time()) - 3600)
    signed = {
        wire.TIME: old,
        wire.SIGNATURE: wire.of_request(SECRET, "/control", old, body),
    }
    for headers in ({}, signed):
        asked = urllib.request.Request(f"{service.url}/control", data=body, headers=headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(asked, timeout=2)
        assert caught.value.code == 401
    assert service.mood is Mood.WELL


@contextmanager
def answering(pieces):
    """A server that reads one request and sends these bytes, signed for nobody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            link, _address = listener.accept()
            with link:
                link.recv(65536)
                with suppress(OSError):  # the client has heard enough
                    for piece in pieces:
                        link.sendall(piece)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(2)


ANSWERS = [
    b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    b'HTTP/1.0 200 OK\r\n\r\n{"standing": "booked", "number": "SB123456"}',
    b"HTTP/1.0 200 OK\r\nContent-Length: 900\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"SSH-2.0-OpenSSH\r\n",
    b"\x00" * 400,
    b"HTTP/1.0 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_no_stranger_is_believed_and_no_redirect_followed(answer, claim):
    with answering([answer]) as address, pytest.raises(Garbled):
        Sandbox(address=address, secret=SECRET, seconds=1).submit(claim)


def test_an_endless_answer_is_cut_short(claim):
    began = time.monotonic()
    with answering(itertools.repeat(b"9" * 65536)) as address, pytest.raises(Garbled):
        Sandbox(address=address, secret=SECRET, seconds=20).submit(claim)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "answer",
    [
        {"standing": "booked", "number": "12\x0034"}, {"standing": "booked", "number": "1" * 41},
        {"standing": "booked", "number": 1234}, {"standing": "booked"}, {"standing": "perhaps"}, {},
        {"standing": ["booked"]}, {"standing": "booked", "number": "<b>1234</b>"},
    ],
)  # fmt: skip
def test_a_signed_answer_that_makes_no_sense_is_garbled(service, client, claim, answer):
    service.ledger.book = lambda key, again=False: answer
    with pytest.raises(Garbled):
        client.submit(claim)


@pytest.mark.parametrize("address", ["ftp://127.0.0.1/", "http:///", "", "file:///etc/passwd"])
def test_an_address_that_is_none_is_unreachable(address, claim):
    sandbox = Sandbox(address="http://127.0.0.1:1", secret=SECRET, seconds=1)
    sandbox.address = address
    with pytest.raises(Unreachable):
        sandbox.submit(claim)


def test_a_foreign_sentence_is_cleaned_and_cut():
    refusal = Refused("x", "坏\x00\ud800\x1b[31m" + "长" * 500)
    assert refusal.sentence == "坏[31m" + "长" * 195


def test_hostile_text_arrives_whole(client, claim):
    odd = replace(claim, name="𠮷😀<b>\x00\ud800" + "长" * 9000)
    assert client.submit(odd).standing is Standing.BOOKED


def test_neither_a_claim_nor_a_fault_tells_of_the_patient(claim):
    assert claim.name not in f"{claim!r}{claim!s}{Unreachable('no connection')!r}"
    assert claim.id_number not in repr(claim)


def test_by_hand_files_nothing(claim):
    assert {ByHand().submit(claim), ByHand().query(key="x"), ByHand().cancel("1", "")} == {
        Outcome(Standing.LEFT)
    }
    assert not ByHand().by_machine


def test_numbers_survive_a_restart_of_the_sandbox(tmp_path):
    kept, key = tmp_path / "numbers", str(uuid.uuid4())
    with Service(("127.0.0.1", 0), SECRET, kept) as first:
        number = first.ledger.book(key)["number"]
        first.ledger.cancel(number)
    kept.write_text(kept.read_text() + '{"number": "SB')
    with Service(("127.0.0.1", 0), SECRET, kept) as second:
        assert second.ledger.find(key=key) == {"standing": "cancelled", "number": number}


def test_the_status_page_names_nobody(service, client, claim):
    number = client.submit(claim).number
    page = urllib.request.urlopen(service.url, timeout=2).read().decode()
    assert number in page
    assert claim.name not in page


@pytest.mark.django_db
def test_the_way_is_the_institutions_choice(station, centre, other_station):
    choose(centre, InsuranceWay.SANDBOX)
    assert isinstance(insurance.for_institution(station), Sandbox)
    assert isinstance(insurance.for_institution(other_station), ByHand)
    assert isinstance(insurance.of_way("a way of the next release"), ByHand)


@pytest.mark.django_db
def test_a_claim_says_what_the_referral_says(doctor, resident):
    visit = factories.encounter(resident, doctor, **COMPLETE)
    referral = referral_of(doctor, resident, visit)
    claim = Claim.of(referral)
    assert (claim.key, claim.referral_number) == (str(referral.uuid), referral.number)
    assert (claim.name, claim.id_number, claim.from_code) == (resident.name, resident.id_number, "S0101")
    assert claim.diagnoses == (("J06.900", "急性上呼吸道感染"),)


@pytest.mark.django_db
def test_a_claim_without_a_visit_or_with_odd_diagnoses(doctor, resident):
    assert Claim.of(referral_of(doctor, resident)).diagnoses == ()
    visit = factories.encounter(resident, doctor, diagnoses=[{"name": ""}, {"name": "咳嗽"}])
    assert Claim.of(referral_of(doctor, resident, visit)).diagnoses == (("", "咳嗽"),)


def test_the_command_steers_the_running_sandbox(service, settings, tmp_path):
    settings.VAR, settings.INSURANCE_SECRET = tmp_path, SECRET
    settings.INSURANCE_SANDBOX_URL = service.url
    call_command("insurance_sandbox", control="down", stdout=io.StringIO())
    assert service.mood is Mood.DOWN


def test_the_command_says_when_nobody_listens_and_serves_this_machine_only(settings, tmp_path):
    settings.VAR, settings.INSURANCE_SANDBOX_URL = tmp_path, "http://127.0.0.1:1"
    with pytest.raises(CommandError, match=FilingFault.UNREACHABLE.value):
        call_command("insurance_sandbox", control="well")
    settings.INSURANCE_SANDBOX_URL = "http://0.0.0.0:8790"
    with pytest.raises(CommandError, match="this machine only"):
        call_command("insurance_sandbox")
