"""CMPP's frames there and back, cut short, and as garbage: by hypothesis, and by pycmpp's reader."""

import struct
from datetime import datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from pycmpp.request import SubmitRequestInstance

from messaging.gateways import cmpp
from messaging.gateways.base import GatewayError, Segment
from messaging.gateways.text import split
from messaging.simulators.cmpp import CmppCarrier, CmppManner
from messaging.simulators.manner import Out

from .test_cmpp import LOGIN, REPORT_60, SECRET, delivered, dialect, read, submit

COMMANDS = [1, 2, 4, 5, 6, 8, 0x80000001, 0x80000002, 0x80000004, 0x80000005, 0x80000008, 77]
writable = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300)


@settings(deadline=None)
@given(st.sampled_from(COMMANDS), st.binary(max_size=220), st.sampled_from(["cmpp2", "cmpp3"]))
def test_garbage_is_a_fault_of_the_carrier_and_nothing_worse(command, body, protocol):
    frame = cmpp.HEAD.pack(12 + len(body), command, 1) + body
    try:
        read(frame, dialect(protocol))
    except (GatewayError, struct.error):
        return


@settings(deadline=None)
@given(st.integers(12, 240), st.sampled_from(["cmpp2", "cmpp3"]))
def test_cut_reports_are_not_taken_for_whole_ones(length, protocol):
    whole = delivered(REPORT_60, protocol)
    frame = whole[:length]
    try:
        said = read(frame, dialect(protocol))
    except (GatewayError, struct.error):
        return
    assert len(frame) >= len(whole) - (20 if protocol == "cmpp3" else 8)
    assert said[0][1].remote_id == "b4c5530000010000"


class Taken:
    """A session of the simulator that only keeps what it was told."""

    def __init__(self, protocol):
        self.carrier = CmppCarrier({LOGIN: SECRET})
        self.manner = CmppManner(self)
        self.manner.layout = cmpp.WIDE if protocol == "cmpp3" else cmpp.NARROW
        self.submits = []

    def submitted(self, *values, **more):
        self.submits.append(values)


@settings(deadline=None)
@given(writable, st.sampled_from(["cmpp2", "cmpp3"]), st.integers(0, 255))
def test_what_we_send_is_what_a_carrier_reads(text, protocol, reference):
    session, parts = Taken(protocol), split(text)
    for number, part in enumerate(parts, 1):
        segment = Segment(number, "13800138000", part, number, len(parts), reference)
        session.manner.read(dialect(protocol).submit(f"{number:08x}", segment))
    assert "".join(one[2] for one in session.submits) == text
    assert {(one[1], one[4]) for one in session.submits} == {("13800138000", len(parts))}
    assert [one[0] for one in session.submits] == list(range(1, len(parts) + 1))


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-16-be", exclude_characters="\0"), min_size=1, max_size=60))
def test_another_implementation_reads_our_submits(text):
    if len(text.encode("utf-16-be")) > 140:
        return
    fields = SubmitRequestInstance().resolve(submit(text=text, part=(1, 1, 0), service_id="HEALTH"))
    assert (fields["msg_content"], fields["msg_fmt"], fields["pk_total"]) == (text, 8, 1)
    assert fields["dest_terminal_id"].rstrip("\0") == "13500002696"
    assert fields["src_id"].rstrip("\0") == "900001"
    assert (fields["register_delivery"], fields["fee_type"], fields["fee_code"]) == (1, "01", "000000")
    assert fields["service_id"].rstrip("\0") == "HEALTH"


@settings(deadline=None)
@given(st.sampled_from(["cmpp2", "cmpp3"]), st.booleans(), st.integers(1, 2**64 - 1))
def test_what_the_simulator_reports_is_what_we_read(protocol, short, identity):
    session = Taken(protocol)
    session.carrier.short_reports = short
    out = Out(LOGIN, "13800138000", f"{identity:016x}", "UNDELIV", taken_at=1_780_000_000)
    ((kind, report, _),) = read(session.manner.report(7, out), dialect(protocol))
    assert (kind, report.remote_id, report.phone) == ("reported", f"{identity:016x}", "13800138000")
    assert len(report.raw) == (71 if protocol == "cmpp3" and not short else 60)


def test_message_numbers_of_the_simulator_never_repeat():
    carrier = CmppCarrier({LOGIN: SECRET})
    numbers = [carrier.new_id() for _ in range(70_000)]
    assert len(set(numbers)) == 70_000
    assert all(int(one, 16) < int(two, 16) for one, two in pairwise(numbers))
    moment = int(numbers[0], 16) >> 38
    now = datetime.now(cmpp.CHINA)
    assert (moment >> 22, moment >> 17 & 31) == (now.month, now.day)
