"""pycmpp, a CMPP 2 client that is not ours, against the simulated carrier."""

import asyncio
import threading
from contextlib import asynccontextmanager, suppress

import pytest
from pycmpp.cmpp import Cmpp
from pycmpp.cmpp_defines import CMPP_DELIVER_REQ
from pycmpp.handlers import CmppConnectRespHandler, CmppSubmitRespHandler
from pycmpp.response import ConnectResponseInstance, SubmitResponseInstance

from messaging.gateways.base import Verdict
from messaging.simulators.cmpp import CmppCarrier

from .stand import LOGIN, SECRET, connected, open_carrier, segment, send_many, until


class Line:
    """pycmpp reads for ever, even from a closed socket: this ends its thread."""

    def __init__(self, so):
        self.so = so

    def __getattr__(self, name):
        return getattr(self.so, name)

    def recv(self, size):
        try:
            data = self.so.recv(size)
        except OSError:
            data = b""
        if not data:
            raise SystemExit
        while len(data) < size and (more := self.so.recv(size - len(data))):
            data += more
        return data


def client(carrier, secret=SECRET):
    peer = Cmpp("127.0.0.1", carrier.port, LOGIN, secret, "10690001", delivery=1, client_heartbeat=False)
    peer.so = Line(peer.so)
    peer.logins, peer.answers, peer.reports = [], [], []

    class Login(CmppConnectRespHandler):
        def __call__(self):
            answer = ConnectResponseInstance()
            answer.resolve(self.message)
            self.cmpp.logins.append(answer.status)

    class Submitted(CmppSubmitRespHandler):
        def __call__(self):
            answer = SubmitResponseInstance()
            answer.resolve(self.message)
            self.cmpp.answers.append((answer.status, answer.msg_id))

    class Delivered(CmppSubmitRespHandler):
        def __call__(self):
            self.cmpp.reports.append(self.message)
            self.cmpp.send(bytes.fromhex("0000001580000005") + self.message[8:20] + b"\0")

    peer.handlers |= {
        Login.command_id: Login, Submitted.command_id: Submitted, CMPP_DELIVER_REQ: Delivered,
    }  # fmt: skip
    return peer


def listen(peer):
    with suppress(SystemExit):
        peer.run()


@asynccontextmanager
async def running(carrier, **more):
    peer = client(carrier, **more)
    thread = threading.Thread(target=listen, args=(peer,), daemon=True)
    thread.start()
    try:
        await until(lambda: peer.logins)
        yield peer
    finally:
        peer.so.shutdown(2)
        await asyncio.to_thread(thread.join, 5)
        peer.close()


def stand(story, faults=None, **more):
    async def run():
        async with open_carrier(CmppCarrier, faults) as carrier:
            async with running(carrier, **more) as peer:
                await story(carrier, peer)

    asyncio.run(run())


def test_it_logs_in_submits_and_gets_its_report():
    async def story(carrier, peer):
        assert peer.logins == [0]
        peer.submit("您好，请按时复诊。", ["13800138000"])
        await until(lambda: peer.answers and peer.reports)
        ((status, identity),) = peer.answers
        assert status == 0
        content = peer.reports[0][20 + 21 + 10 + 3 + 21 + 2 :]
        assert content[:15] == identity.to_bytes(8, "big") + b"DELIVRD"
        await until(lambda: carrier.ledger.counts["acknowledged"] == 1)
        assert carrier.ledger.entries[0]["text"] == "您好，请按时复诊。"

    stand(story)


def test_its_long_messages_are_read():
    text = "".join(chr(0x4E00 + at) for at in range(150))

    async def story(carrier, peer):
        peer.submit(text, ["13800138000"])
        await until(lambda: len(peer.answers) == 3)
        assert "".join(one["text"] for one in carrier.ledger.entries) == text
        assert [one["part"] for one in carrier.ledger.entries] == [1, 2, 3]

    stand(story)


def test_its_several_numbers_in_one_submit_get_one_answer():
    async def story(carrier, peer):
        peer.submit("复诊", ["13800138000", "13800138001", "13800138002"])
        await until(lambda: len(peer.reports) == 3)
        assert len(peer.answers) == 1
        first = peer.answers[0][1]
        assert [int(one["remote_id"], 16) for one in carrier.ledger.entries] == [first, first + 1, first + 2]

    stand(story)


@pytest.mark.parametrize(("faults", "status"), [({"throttle_above": 1}, 8), ({"refuse": 1.0}, 1)], ids=str)
def test_it_understands_refusals(faults, status):
    async def story(carrier, peer):
        peer.submit("复诊", ["13800138000"])
        peer.submit("复诊", ["13800138001"])
        peer.submit("复诊", ["13800138002"])
        await until(lambda: len(peer.answers) == 3)
        assert status in [code for code, _ in peer.answers]

    stand(story, faults)


def test_it_understands_that_its_secret_is_wrong():
    async def story(carrier, peer):
        assert peer.logins == [3]

    stand(story, secret="999999")


def test_its_active_tests_are_answered():
    async def story(carrier, peer):
        seen = []
        peer.handlers[0x80000008] = lambda cmpp, message: lambda: seen.append(message.hex())
        peer.heartbeat_once = peer.send(bytes.fromhex("0000000c0000000800000777"))
        await until(lambda: seen)
        assert seen == ["0000000d800000080000077700"]

    stand(story)


def test_it_and_ours_may_share_a_login_and_each_others_reports():
    async def story(carrier, peer):
        async with connected(carrier) as (pool, ears):
            await send_many(pool, ears, 20)
            assert ears.verdicts() == {Verdict.ACCEPTED: 20}
            await until(lambda: len(ears.reports) + len(peer.reports) == 20)
            assert peer.reports
            assert segment(1).phone in {one["phone"] for one in carrier.ledger.entries}

    stand(story)
