"""The district's platform, or another that takes JSON over HTTP: a client; receipts come to messaging.views.hook.

``connections`` is how many requests are under way at once, ``window`` how many messages each may have waiting. One
request carries up to ``options["batch"]`` messages.

Options of an account, all of them optional; ``fields``, ``answer``, ``report``, ``statuses`` map names and words
(messaging.gateways.http_wire says the defaults):

==================  ===========================================================================================
``preset``          "mas": 移动云MAS
``tls``             speak TLS and verify who answers, false. ``ca``: path of the certificates to trust
``path``            "/sms/send"
``query_path``      "/sms/query"; "none" where the platform has no query
``batch``           messages in one request, 20
``fields``          {"phone": "mobile"}: names in what we say
``answer``          {"results": "data.list", "status": "code"}: names in what is answered, ``results`` a path
``report``          {"reports": "list", "status": "stat"}: names in what the hook is told
``statuses``        {"1000": "accepted"}: words of an answer (base.Verdict's values)
``other``           what a word means that is not there, "in_doubt"
``stats``           {"BLACK": "blacklisted"}: words of a report (options.MEANINGS)
``http``            {"503": "throttled"}: an HTTP status' meaning
``constant``        {"ecName": "…"}: put into every request
``sign``            the signature's code, put beside every text where there is one
==================  ===========================================================================================
"""

import asyncio
import logging
import random
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from time import monotonic, time

from messaging.gateways.base import (
    Account,
    Answer,
    GatewayError,
    Report,
    Segment,
    Sink,
    Slot,
    Verdict,
)
from messaging.gateways.http_client import OUR_MESSAGE, Client, Doubt, HttpUnreachable, fault_of
from messaging.gateways.http_wire import HttpError, HttpGarbled, Words, seconds
from messaging.gateways.pace import NUMBERS, Pace, Patience

log = logging.getLogger(__name__)

CLOSED_SECONDS = 60
# A request of which we know nothing may still be on its way through proxies and queues: that the platform does not
# know its messages counts only so many seconds later.
SETTLE = 120
LOGIN_SECONDS = 300


class HttpPool:
    """base.Pool. It counts as up while the platform answered our last question."""

    def __init__(self, account: Account, sink: Sink):
        self.account, self.sink = account, sink
        try:
            self.words = Words(account.options)
        except HttpError:  # told at the start
            self.words = Words({})
        self.can_query = bool(self.words.query_path)
        self.pace = Pace(account.rate)
        self.up = False
        self.client: Client | None = None
        self.reserved: set[str] = set()
        self.pending = 0
        # The platform knows our messages by these: none may come twice, whichever process makes them.
        self._run, self._number = f"{random.SystemRandom().getrandbits(64):016x}", 0
        self._stopping = False
        self._began = monotonic()
        self._doubted: dict[str, float] = {}
        self._keeper: asyncio.Task | None = None
        self._tasks: set[asyncio.Task] = set()
        self._news, self._trouble = asyncio.Event(), asyncio.Event()

    # base.Pool

    async def start(self) -> None:
        self._stopping = False
        try:
            self.client = Client(self.account)
        except HttpError as error:
            self._tell(False, error)
            return
        self._turns = asyncio.Semaphore(self.account.connections)
        self._keeper = asyncio.get_running_loop().create_task(self._keep_up())

    async def stop(self, seconds: float) -> None:
        self._stopping = True
        end = monotonic() + seconds
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        while self.reserved and monotonic() < end:
            await asyncio.sleep(0.01)
        while self._tasks and monotonic() < end:
            await asyncio.wait(self._tasks, timeout=max(0.0, end - monotonic()))
        self.reserved.clear()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self.client is not None:
            await self.client.close()
            self.client = None
        if self.up:
            self._tell(False, None)

    def reserve(self, wanted: int) -> list[Slot]:
        if self._stopping or not self.up or wanted <= 0:
            return []
        allowed = min(wanted, self._free)
        given = self.pace.take(allowed) if allowed > 0 else 0
        slots = [Slot(1, self._next_sequence()) for _ in range(given)]
        self.reserved.update(slot.sequence for slot in slots)
        return slots

    def give_back(self, slots: Sequence[Slot]) -> None:
        self.reserved.difference_update(slot.sequence for slot in slots)
        self.pace.back(len(slots))
        self._wake()

    def send(self, work: Sequence[tuple[Slot, Segment]]) -> None:
        good = [(slot.sequence, one) for slot, one in work if slot.sequence in self.reserved]
        unsent = [
            Answer(one.attempt, Verdict.NOT_SENT) for slot, one in work if slot.sequence not in self.reserved
        ]
        self.reserved.difference_update(sequence for sequence, _ in good)
        if unsent:
            self.sink.answered(unsent)
        self.pending += len(good)
        for batch in self._batches(good):
            task = asyncio.get_running_loop().create_task(self._deliver(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def room(self) -> None:
        while True:
            self._news.clear()
            if self.up and not self._stopping and self._free > 0:
                pause = self.pace.wait()
                if pause <= 0:
                    return
                await asyncio.sleep(pause)
            else:
                await self._news.wait()

    async def query(self, sequence: str, remote_id: str, phone: str) -> Report | Answer | None:
        """Asked by our own sequence. None: the platform did not say, or it is too early to believe that it has never
        heard of it (of another process' messages: as long as this one is young)."""
        if not self.can_query or self.client is None or not sequence:
            return None
        early = monotonic() - self._doubted.get(sequence, self._began) < SETTLE
        try:
            found = self.client.words.found(await self.client.ask([sequence]), sequence, phone)
        except GatewayError as error:
            log.info("gateway %s: %s", self.account.gateway, error.code)
            return None
        return None if early and isinstance(found, Answer) and found.verdict is Verdict.NOT_SENT else found

    @classmethod
    async def probe(cls, account: Account) -> float:
        """See ``messaging.gateways.probe``."""
        began = monotonic()
        client = Client(account)
        try:
            await client.knock()
        finally:
            await client.close()
        return monotonic() - began

    # the rest

    @property
    def _free(self):
        return self.account.connections * self.account.window - self.pending - len(self.reserved)

    def _next_sequence(self):
        self._number = self._number % NUMBERS + 1
        return f"{self._run}{self._number:08x}"

    def _batches(self, work):
        """Lists of what goes in one request; a platform that takes one text for all gets equal texts together."""
        groups: dict[str, list] = {}
        for one in work:
            groups.setdefault(one[1].text if self.words.mas else "", []).append(one)
        size = self.words.batch
        return [group[at : at + size] for group in groups.values() for at in range(0, len(group), size)]

    async def _deliver(self, batch):
        """Post one batch and tell its answers, whatever happens."""
        state: dict = {}
        answers = []
        try:
            async with self._turns:
                answers = await self._posted(batch, state)
        except asyncio.CancelledError:
            answers = _all(batch, Verdict.IN_DOUBT if state.get("written") else Verdict.NOT_SENT)
        except HttpUnreachable as error:
            answers = _all(batch, Verdict.NOT_SENT)
            self._troubled(error)
        except Exception as error:  # ours: what was written is in doubt
            log.error("gateway %s: %s", self.account.gateway, type(error).__name__)
            answers = _all(batch, Verdict.IN_DOUBT if state.get("written") else Verdict.NOT_SENT)
        finally:
            self._told(batch, answers)

    async def _posted(self, batch, state):
        client = self.client
        try:
            status, headers, body = await client.post(client.words.path, client.words.sending(batch), state)
        except Doubt as error:
            self._trouble.set()  # ask how it is before more is lost in it
            return _all(batch, Verdict.IN_DOUBT, error.code)
        if 200 <= status < 300:
            try:
                return client.words.answers(body, batch)
            except HttpGarbled as error:
                return _all(batch, Verdict.IN_DOUBT, error.code)
        verdict = client.words.by_status.get(status) or verdict_of(status)
        if verdict is Verdict.REFUSED and status in OUR_MESSAGE and len(batch) > 1:
            return await self._one_by_one(batch)
        if fault := fault_of(status):
            self._troubled(fault)
        elif verdict is Verdict.IN_DOUBT:
            self._trouble.set()
        return _all(batch, verdict, f"http {status}", pause_of(status, verdict, headers))

    async def _one_by_one(self, batch):
        """The platform took none of them: find the one it does not want."""
        answers = []
        for at, one in enumerate(batch):
            state: dict = {}
            try:
                answers += await self._posted([one], state)
            except (HttpUnreachable, asyncio.CancelledError) as error:
                written = state.get("written")
                answers += _all([one], Verdict.IN_DOUBT if written else Verdict.NOT_SENT)
                answers += _all(batch[at + 1 :], Verdict.NOT_SENT)
                if isinstance(error, HttpUnreachable):
                    self._troubled(error)
                break
        return answers

    def _told(self, batch, answers):
        self.pending -= len(batch)
        self._note_doubts(batch, answers)
        accepted = sum(one.verdict is Verdict.ACCEPTED for one in answers)
        throttled = [one.seconds for one in answers if one.verdict is Verdict.THROTTLED]
        if accepted:
            self.pace.accepted(accepted)
        if throttled:
            self.pace.throttled(max(throttled))
        self.sink.answered(answers)
        self._wake()

    def _note_doubts(self, batch, answers):
        now = monotonic()
        doubtful = {one.attempt for one in answers if one.verdict is Verdict.IN_DOUBT}
        if doubtful:
            self._doubted = {sequence: at for sequence, at in self._doubted.items() if now - at < SETTLE}
            self._doubted |= {sequence: now for sequence, one in batch if one.attempt in doubtful}

    async def _keep_up(self):
        """Ask the platform how it is: until it answers, after every trouble, and after every idle time."""
        patience = Patience(self.account.options)
        while not self._stopping:
            self._trouble.clear()
            try:
                await self.client.knock()
            except GatewayError as error:
                self._tell(False, error)
                await asyncio.sleep(patience.next(error))
                continue
            except Exception as error:  # ours: the platform must not stay away for ever
                log.error("gateway %s: %s", self.account.gateway, type(error).__name__)
                await asyncio.sleep(patience.next(None))
                continue
            patience.reset()
            if not self.up:
                self._tell(True, None)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._trouble.wait(), self.account.idle_seconds)

    def _troubled(self, error):
        if self.up:
            self._tell(False, error)
        self._trouble.set()

    def _tell(self, up, error):
        self.up = up
        if error is not None:
            log.info("gateway %s: %s", self.account.gateway, error.code)
        self.sink.changed(self.account.connections if up else 0, error)
        self._wake()

    def _wake(self):
        self._news.set()


def verdict_of(status: int) -> Verdict:
    """What an answer's HTTP status says of the messages in its request."""
    if status == 429:
        return Verdict.THROTTLED
    if status >= 500 or status < 200:
        return Verdict.IN_DOUBT
    return Verdict.REFUSED if status in OUR_MESSAGE else Verdict.CLOSED


def pause_of(status, verdict, headers) -> float:
    if verdict is Verdict.CLOSED:
        return LOGIN_SECONDS if status in (401, 403) else CLOSED_SECONDS
    return retry_after(headers.get("Retry-After", "")) if verdict is Verdict.THROTTLED else 0


def retry_after(said: str) -> float:
    """Seconds of a Retry-After header: a number, or a date."""
    if found := seconds(said):
        return found
    try:
        return seconds(parsedate_to_datetime(said).timestamp() - time())
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0


def _all(batch, verdict, code="", pause=0.0):
    return [Answer(one.attempt, verdict, code=code, seconds=pause) for _, one in batch]
