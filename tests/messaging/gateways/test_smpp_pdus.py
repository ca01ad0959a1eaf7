"""SMPP as bytes: the specification's layout, smpplib's own client as a client of our simulator, garbage."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace

import pytest
import smpplib.client
import smpplib.consts
import smpplib.gsm
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.gateways import smpp_pdus as pdus
from messaging.gateways.base import Account, GatewayError, Incoming, Report, Segment
from messaging.gateways.frames import Unfit
from messaging.gateways.smpp import Smpp, moment, same_id
from messaging.simulators.smpp import SmppCarrier

ACCOUNT = Account(1, "smpp", "127.0.0.1", 2775, "sheyi", "secret", "10690001")
SUBMIT = (
    "0000004f 00000004 00000000 00000001"  # length, submit_sm, status, sequence
    "00 00 01 3130363930303031 00"  # service type, source
    "01 01 38363133383030313338303030 00"  # destination
    "00 00 00 00 00 01 00 08 00 0a 00540044 9000 8ba2 3002"
)


class Heard:
    """What a dialect tells its connection."""

    up = True

    def __init__(self):
        self.told, self.replies, self.answers = [], [], []
        self.reply, self.alive = self.replies.append, lambda: None
        self.logged_in = self.left = lambda: None
        self.farewell = self.replies.append

    def reported(self, item, reply):
        self.told.append((item, reply))

    heard = reported

    def answered(self, *answer):
        self.answers.append(answer)


def read(frame, **options):
    heard = Heard()
    Smpp(SimpleNamespace(**{**vars(ACCOUNT), "options": options})).read(frame, heard)
    return heard


def receipt(text="", **fields):
    return pdus.build(
        "deliver_sm", 9, source_addr="8613800138000", destination_addr="1069", esm_class=4,
        short_message=text.encode(), **fields,
    )  # fmt: skip


def test_a_submit_is_laid_out_as_the_specification_says():
    frame = Smpp(ACCOUNT).submit("00000001", Segment(1, "13800138000", "TD退订。"))
    wanted = bytes.fromhex(SUBMIT.replace(" ", ""))
    assert frame == len(frame).to_bytes(4, "big") + wanted[4:]


def test_a_bind_is_laid_out_as_the_specification_says():
    body = b"sheyi\0secret\0\0\x34\0\0\0"
    assert Smpp(ACCOUNT).login("00000001") == pdus.HEADER.pack(16 + len(body), 9, 0, 1) + body


@pytest.mark.parametrize("secret", ["ninesigns", "密码", "a\0b"])
def test_what_does_not_fit_is_not_cut(secret):
    with pytest.raises(Unfit):
        Smpp(SimpleNamespace(**{**vars(ACCOUNT), "secret": secret})).login("00000001")


def test_a_receipts_parameters_come_before_its_text():
    frame = receipt(
        "id:1 stat:UNDELIV err:027 done date:2611230910", receipted_message_id="0A2", message_state=2
    )
    report, reply = read(frame).told[0]
    assert (report.remote_id, report.stat, report.error) == ("a2", "DELIVRD", "027")
    assert str(report.done_at) == "2026-11-23 01:10:00+00:00"
    assert reply == bytes.fromhex("00000011 80000005 00000000 00000009 00")


def test_a_receipts_text_alone_will_do():
    text = "ID:00A2 sub:001 dlvrd:000 submit date:2611230900 done date:261123091055 stat:undeliv err:0x1 Text:你好"
    report = read(receipt(text)).told[0][0]
    assert (report.remote_id, report.stat, report.phone) == ("a2", "UNDELIV", "13800138000")


def test_an_id_without_its_zero_and_a_strange_parameter_are_read():
    body = receipt()[16:] + bytes.fromhex("001e 0002 6162 1403 0001 ff 0427 0001 02")
    report = read(pdus.HEADER.pack(16 + len(body), 5, 0, 9) + body).told[0][0]
    assert (report.remote_id, report.stat) == ("ab", "DELIVRD")


def test_a_receipt_of_nothing_is_not_asked_for_again():
    heard = read(receipt("hello"))
    assert heard.told == []
    assert heard.replies == [bytes.fromhex("00000011 80000005 00000065 00000009 00")]


def test_a_text_in_the_payload_and_parts_by_parameters_are_read():
    frame = pdus.build(
        "deliver_sm", 3, source_addr="13800138000", data_coding=8, message_payload="退订".encode("utf-16-be"),
        sar_msg_ref_num=300, sar_total_segments=2, sar_segment_seqnum=1,
    )  # fmt: skip
    said = read(frame).told[0][0]
    assert isinstance(said, Incoming)
    assert (said.text, said.part, said.parts, said.reference) == ("退订", 1, 2, 300)


def test_commands_it_does_not_know_are_answered_so():
    assert read(pdus.bare(0x0B, 7)).replies == [pdus.bare(pdus.NACK, 7, 3)]
    assert read(pdus.bare(0x80000F00, 7)).replies == []


@pytest.mark.parametrize(
    ("given_id", "how", "receipt_of", "same"),
    [("00AB", "loose", False, "ab"), ("000", "loose", False, "0"), ("00AB", "exact", False, "00AB"),
     ("ff", "receipts_hex", True, "255"), ("255", "receipts_decimal", True, "ff"), ("", "loose", True, ""),
     ("x-y", "receipts_hex", True, "x-y")],
)  # fmt: skip
def test_ids_are_compared_as_the_account_says(given_id, how, receipt_of, same):
    assert same_id(given_id, how, receipt_of) == same


def test_times_that_are_none_are_none():
    assert moment("9999999999", None) is None
    assert moment("", None) is None


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([3, 4, 5, 9, 0x103, 0x80000003, 0x80000004, 0x80000009]))
def test_garbage_is_a_fault_and_no_crash(body, command):
    heard = Heard()
    with suppress(GatewayError):
        Smpp(ACCOUNT).read(pdus.HEADER.pack(16 + len(body), command, 0, 1) + body, heard)
    assert all(isinstance(item, Report | Incoming) for item, _ in heard.told)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200))
def test_a_deliver_cut_anywhere_is_a_fault_and_no_crash(size):
    frame = receipt("id:1 stat:DELIVRD", receipted_message_id="1", message_state=2)[:size]
    if len(frame) < 16:
        return
    with suppress(GatewayError):
        read(frame)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=35), st.integers(1, 0x7FFFFFFF))
def test_a_submit_is_read_as_it_was_built(text, sequence):
    text = text.encode("utf-16-be", "replace").decode("utf-16-be")
    frame = Smpp(ACCOUNT).submit(f"{sequence:08x}", Segment(1, "13800138000", text))
    pdu = pdus.read(frame)
    assert pdus.content(pdu).decode("utf-16-be") == text
    assert (pdus.head(frame)[2], pdus.loose(pdu.destination_addr)) == (sequence, "8613800138000")


LONG = "请按时复诊。" * 20


def other_client(port, sent, got, states):
    """smpplib's own client: bind, a long message, its answers and receipts, a query, unbind."""
    one = smpplib.client.Client("127.0.0.1", port, timeout=3, allow_unknown_opt_params=True)
    one.set_message_sent_handler(lambda pdu: sent.append(pdu.message_id.rstrip(b"\0")))
    one.set_message_received_handler(lambda pdu: got.append(pdu.receipted_message_id.rstrip(b"\0")))
    one.set_query_resp_handler(lambda pdu: states.append(pdu.message_state))
    with one:
        one.connect()
        one.bind_transceiver(system_id="900001", password="888888")
        parts, coding, flag = smpplib.gsm.make_parts(LONG)
        for part in parts:
            one.send_message(
                source_addr="10690001", destination_addr="13800138000", short_message=part,
                data_coding=coding, esm_class=flag, registered_delivery=True,
            )  # fmt: skip
        while len(sent) < len(parts) or len(got) < len(parts):
            one.read_once()
        one.query_message(message_id=sent[0].decode(), source_addr="10690001")
        one.read_once()


def test_another_implementation_sends_through_our_simulator():
    sent, got, states = [], [], []

    async def run():
        carrier = await SmppCarrier({"900001": "888888"}).start()
        await asyncio.to_thread(other_client, carrier.port, sent, got, states)
        await carrier.stop()
        return carrier.ledger

    assert "".join(entry["text"] for entry in asyncio.run(run()).entries) == LONG
    assert set(got) == set(sent)
    assert states == [smpplib.consts.SMPP_MESSAGE_STATE_DELIVERED]
