"""CMPP's frames, byte by byte. Vectors: bigwhite/gocmpp's own tests (login, submit, deliver, report), the lengths of
sms-protocols 2.1; the rest against pycmpp's reader and the simulator's."""

from datetime import UTC, datetime

import pytest

from messaging.gateways import cmpp
from messaging.gateways.base import Account, GatewayError, LoginRefused, Outcome, Segment, Verdict

LOGIN, SECRET, STAMP = "900001", "888888", "1021080510"
SOURCE = bytes.fromhex("90d00c1d517abd0b4f65f6bcf8535d16")
TEXT = "测试gocmpp submit"


def dialect(protocol="cmpp2", login=LOGIN, access="900001", **options):
    return cmpp.Cmpp(
        Account(1, protocol, "127.0.0.1", 1, login, SECRET, access_number=access, options=options)
    )


class Heard:
    """What a dialect tells its connection."""

    def __init__(self):
        self.said = []

    def __getattr__(self, name):
        return lambda *values: self.said.append((name, *values))


def read(frame, speaker=None):
    heard = Heard()
    (speaker or dialect()).read(frame, heard)
    return heard.said


def submit(protocol="cmpp2", text=TEXT, sequence="00000017", phone="13500002696", part=(1, 1, 0), **options):
    segment = Segment(1, phone, text, *part)
    return dialect(protocol, **options).submit(sequence, segment)


def test_login_authenticator():
    assert cmpp.authenticator(LOGIN, SECRET, STAMP) == SOURCE


@pytest.mark.parametrize(
    ("width", "proof"), [(4, "7942977274098cf210ab0c16c367bc8d"), (1, "6c0b846e25bab6daa4ed1c466e0f4bd8")]
)
def test_answer_authenticator(width, proof):
    assert cmpp.answer_authenticator(0, width, SOURCE, SECRET).hex() == proof


def test_short_accounts_are_hashed_raw_or_padded():
    assert cmpp.authenticator("9000", SECRET, STAMP) != cmpp.authenticator("9000", SECRET, STAMP, padded=True)
    assert cmpp.authenticator(LOGIN, SECRET, STAMP, padded=True) == SOURCE


@pytest.mark.parametrize(("protocol", "version"), [("cmpp2", 0x20), ("cmpp3", 0x30)])
def test_login_frame(protocol, version):
    frame = dialect(protocol).login("00000017")
    assert frame[:18].hex() == "000000270000000100000017" + LOGIN.encode().hex()
    assert frame[34] == version
    stamp = f"{int.from_bytes(frame[35:], 'big'):010d}"
    assert frame[18:34] == cmpp.authenticator(LOGIN, SECRET, stamp)


@pytest.mark.parametrize(
    ("frame", "protocol"),
    [
        ("0000001e8000000100000017006c0b846e25bab6daa4ed1c466e0f4bd821", "cmpp2"),
        ("000000218000000100000017000000007942977274098cf210ab0c16c367bc8d30", "cmpp3"),
    ],
    ids=["two", "three"],
)
def test_login_answer(frame, protocol, caplog):
    speaker = dialect(protocol)
    speaker.source = SOURCE
    with caplog.at_level("INFO"):
        assert read(bytes.fromhex(frame), speaker) == [("logged_in",)]
    assert "authenticator" not in caplog.text


def test_a_wrong_proof_in_the_login_answer_is_noted_and_forgiven(caplog):
    speaker = dialect()
    speaker.source = SOURCE
    with caplog.at_level("INFO"):
        assert read(bytes.fromhex("0000001e80000001000000170055") + b"\x55" * 15 + b"\x20", speaker) == [
            ("logged_in",)
        ]
    assert "authenticator is wrong" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [1, 2, 3, 4, 5, 99])
def test_a_refused_login_says_why(status):
    frame = bytes.fromhex("0000001e8000000100000017") + bytes((status,)) + bytes(17)
    with pytest.raises(LoginRefused) as raised:
        read(frame)
    assert raised.value.code == f"login {status}"
    assert isinstance(raised.value, cmpp.CmppError)


def expected(protocol):
    """gocmpp's submit, with the fields it sets otherwise than we do put as we put them: Msg_level 0, fees free and
    borne by us, no time to live."""
    wide = protocol == "cmpp3"
    number = 32 if wide else 21
    fields = [
        bytes.fromhex("000000e1" if wide else "000000bd"), bytes.fromhex("0000000400000017"), bytes(8),
        b"\1\1\1\0", b"test".ljust(10, b"\0"), b"\2", bytes(number), b"\0" if wide else b"", b"\0\0\x08",
        b"900001", b"01", b"000000", bytes(17), bytes(17), b"900001".ljust(21, b"\0"), b"\1",
        b"13500002696".ljust(number, b"\0"), b"\0" if wide else b"", b"\x1e",
        bytes.fromhex("6d4b8bd50067006f0063006d00700070002000730075006200 6d00690074"), bytes(20 if wide else 8),
    ]  # fmt: skip
    return b"".join(fields)


@pytest.mark.parametrize("protocol", ["cmpp2", "cmpp3"])
def test_submit_frame(protocol):
    assert submit(protocol, service_id="test") == expected(protocol)


@pytest.mark.parametrize(("protocol", "length"), [("cmpp2", 138 + 21 + 22), ("cmpp3", 163 + 32 + 22)])
def test_submit_length(protocol, length):
    frame = submit(protocol, text="十一个字的文本就是这样")
    assert len(frame) == length == int.from_bytes(frame[:4], "big")


def test_submit_fields_that_an_account_may_set():
    frame = submit(
        service_id="HEALTH", fee_user_type=0, fee_terminal_id="1390000", fee_type="02", fee_code="10", source="900002",
        level=3, pid=1, prefix="86", valid_hours=24, access="106900012345",
    )  # fmt: skip
    assert frame[23] == 3
    assert frame[24:35] == b"HEALTH\0\0\0\0\0"
    assert frame[35:56] == b"1390000".ljust(21, b"\0")
    assert (frame[56], frame[58]) == (1, 8)
    assert frame[59:73] == b"9000020210\0\0\0\0"
    assert frame[73:90].endswith(b"032+\0")
    assert b"8613500002696" in frame
    assert frame[107:119] == b"106900012345"


def test_time_to_live_is_written_in_the_carriers_form():
    assert cmpp.absolute(datetime(2026, 11, 22, 11, 51, 30, tzinfo=UTC)) == "261122195130032+"


def test_a_part_of_a_long_message():
    frame = submit(text="第二部分", part=(2, 3, 200))
    assert frame[20:22] == b"\3\2"
    assert frame[57] == 1
    begin = 138 + 21 - 8
    assert frame[begin - 1] == 14
    assert frame[begin : begin + 6] == bytes.fromhex("050003c80302")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"service_id": "much too long a name"}, "field Service_Id"),
        ({"fee_type": "免费"}, "field FeeType"),
        ({"level": "high"}, "settings"),
        ({"codes": {"8": "whenever"}}, "settings"),
        ({"stats": {"MA:0001": "bad luck"}}, "settings"),
        ({"stats": ["MA:0001"]}, "settings"),
        ({"version": "three"}, "settings"),
        ({"valid_hours": []}, "settings"),
        ({"valid_hours": 1e300}, "settings"),
        ({"login": "9000012"}, "field Msg_src"),
        ({"login": "9000012", "source": "900001"}, "field Source_Addr"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_the_accounts_fault(options, code):
    with pytest.raises(GatewayError) as raised:
        dialect(**options).login("00000001")
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"phone": "1" * 22}, "field Dest_terminal_Id"), ({"text": "字" * 71}, "length")],
    ids=["phone", "text"],
)
def test_a_message_that_cannot_be_said_is_not_written(changes, code):
    with pytest.raises(GatewayError) as raised:
        submit(**changes)
    assert raised.value.code == code


RESULTS = {
    0: Verdict.ACCEPTED,
    8: Verdict.THROTTLED,
    9: Verdict.ELSEWHERE,
    13: Verdict.ELSEWHERE,
} | dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 14, 99, 100, 199, 255), Verdict.REFUSED)


@pytest.mark.parametrize("result", sorted(RESULTS))
@pytest.mark.parametrize("width", [1, 4])
def test_results(result, width):
    identity = "b2b9da8000010000"
    frame = bytes.fromhex(f"000000{20 + width:02x}8000000400000017{identity}") + result.to_bytes(width, "big")
    verdict = RESULTS[result]
    known = identity if verdict is Verdict.ACCEPTED else ""
    assert read(frame) == [("answered", "00000017", verdict, known, str(result))]


def test_an_accepted_submit_without_a_number_has_none():
    said = read(bytes.fromhex("000000158000000400000017") + bytes(9))
    assert said == [("answered", "00000017", Verdict.ACCEPTED, "", "0")]


def test_an_operators_own_results():
    frame = bytes.fromhex("000000158000000400000017000000000000000065")
    said = read(frame, dialect(codes={"101": "throttled"}))
    assert said == [("answered", "00000017", Verdict.THROTTLED, "", "101")]


DELIVER_2 = (
    "000000670000000500000005b525628000010000" + b"900001".hex() + "00" * 15 + "00" * 10 + "000000"
    + b"13412340000".hex() + "00" * 10 + "00" + "12" + b"This is a test MO.".hex() + "00" * 8
)  # fmt: skip
DELIVER_3 = (
    "0000007f0000000500000001b4c5530000010000" + b"900001".hex() + "00" * 15 + "00" * 10 + "000000"
    + b"13412340000".hex() + "00" * 21 + "0000" + "12" + b"This is a test MO.".hex() + "00" * 20
)  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "frame", "answer"),
    [
        ("cmpp2", DELIVER_2, "000000158000000500000005b52562800001000000"),
        ("cmpp3", DELIVER_3, "000000188000000500000001b4c553000001000000000000"),
    ],
    ids=["two", "three"],
)
def test_a_message_from_a_handset(protocol, frame, answer):
    ((kind, message, reply),) = read(bytes.fromhex(frame), dialect(protocol))
    assert kind == "heard"
    assert (message.phone, message.to, message.text) == ("13412340000", "900001", "This is a test MO.")
    assert message.remote_id == frame[24:40]
    assert reply.hex() == answer


REPORT_60 = bytes.fromhex(
    "b4c553000001000044454c4956524431353131313230393535313531313132303935373133343132333430303030"
    "0000000000000000000012345678"
)


def delivered(content, protocol="cmpp2"):
    """A DELIVER that carries this report."""
    layout = cmpp.WIDE if protocol == "cmpp3" else cmpp.NARROW
    values = [bytes(8), b"900001", b"", 0, 0, 0, b"13412340000", 1, len(content)]
    if layout.wide:
        values.insert(7, 0)
    body = layout.deliver.pack(*values) + content + bytes(layout.submit_tail)
    return cmpp.HEAD.pack(12 + len(body), cmpp.DELIVER, 5) + body


@pytest.mark.parametrize(
    ("protocol", "content"),
    [
        ("cmpp2", REPORT_60),
        ("cmpp3", REPORT_60),
        ("cmpp3", REPORT_60[:46] + bytes(21) + REPORT_60[-4:]),
        ("cmpp2", REPORT_60[:35] + b"8613412340000".ljust(21, b"\0") + REPORT_60[-4:]),
    ],
    ids=["two", "three-60", "three-71", "with-86"],
)
def test_a_report(protocol, content):
    ((kind, report, reply),) = read(delivered(content, protocol), dialect(protocol))
    assert (kind, len(content) in (60, 71)) == ("reported", True)
    assert (report.remote_id, report.phone, report.stat) == ("b4c5530000010000", "13412340000", "DELIVRD")
    assert report.outcome is Outcome.DELIVERED
    assert report.done_at == datetime(2015, 11, 12, 1, 57, tzinfo=UTC)
    assert report.raw == content
    assert reply[-1] == 0


@pytest.mark.parametrize(
    ("stat", "outcome", "temporary", "cause"),
    [
        ("DELIVRD", Outcome.DELIVERED, False, ""),
        ("DELIVED", Outcome.DELIVERED, False, ""),
        ("EXPIRED", Outcome.EXPIRED, True, ""),
        ("ACCEPTD", Outcome.UNDER_WAY, False, ""),
        ("DELETED", Outcome.FAILED, False, ""),
        ("UNDELIV", Outcome.FAILED, False, ""),
        ("UNKNOWN", Outcome.FAILED, False, ""),
        ("REJECTD", Outcome.FAILED, False, ""),
        ("MA:0001", Outcome.FAILED, False, ""),
        ("MK:0001", Outcome.FAILED, False, "empty_number"),
        ("MK:0017", Outcome.FAILED, True, "full"),
        ("MK:0024", Outcome.FAILED, True, "absent"),
        ("MI:0013", Outcome.EXPIRED, True, ""),
        ("DB:0141", Outcome.FAILED, False, "blacklisted"),
        ("MB:1049", Outcome.FAILED, False, "elsewhere"),
        ("\ufffd\ufffd", Outcome.FAILED, False, ""),
        ("", Outcome.FAILED, False, ""),
    ],
)
def test_what_reports_mean(stat, outcome, temporary, cause):
    raw = stat.encode("latin-1", "replace") if stat.isascii() else b"\xff\xfe"
    content = REPORT_60[:8] + raw.ljust(7, b"\0") + REPORT_60[15:]
    ((_, report, _),) = read(delivered(content))
    assert (report.stat, report.outcome, report.temporary, report.cause) == (stat, outcome, temporary, cause)


def test_an_operators_own_words_in_reports():
    content = REPORT_60[:8] + b"MA:0001" + REPORT_60[15:]
    ((_, report, _),) = read(delivered(content), dialect(stats={"MA:0001": "blacklisted"}))
    assert (report.outcome, report.temporary, report.cause) == (Outcome.FAILED, False, "blacklisted")


@pytest.mark.parametrize("stamp", [b"2613450000", b"abcdefghij", b"\0" * 10, b"26112 2103"])
def test_a_report_without_a_readable_time(stamp):
    content = REPORT_60[:25] + stamp + REPORT_60[35:]
    ((_, report, _),) = read(delivered(content))
    assert report.done_at is None


@pytest.mark.parametrize("length", [0, 15, 49, 72, 140])
def test_a_report_of_a_strange_length_is_sent_back_and_ends_there(length):
    ((kind, reply),) = read(delivered(bytes(length)))
    assert kind == "reply"
    assert reply[-1] == 1


def test_what_the_carrier_asks_is_answered():
    assert read(bytes.fromhex("0000000c00000008000000ff")) == [
        ("reply", bytes.fromhex("0000000d80000008000000ff00"))
    ]
    assert read(bytes.fromhex("0000000c00000002000000ff")) == [
        ("farewell", bytes.fromhex("0000000c80000002000000ff"))
    ]
    assert read(bytes.fromhex("0000000d8000000800000001") + b"\0") == [("alive",)]
    assert read(bytes.fromhex("0000000c8000000800000001")) == [("alive",)]
    assert read(bytes.fromhex("0000000c8000000200000001")) == [("left",)]
    assert read(bytes.fromhex("0000000c0000099900000001")) == []
