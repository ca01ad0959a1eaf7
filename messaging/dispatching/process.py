"""One dispatcher: keeps its lease, takes its share of the accounts, looks every second at what may be sent."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from time import monotonic

from django.conf import settings
from django.utils import timezone

from clinic.errors import Refused
from messaging import allowed, gateways
from messaging.codes import Carrier, GatewayState
from messaging.dispatching import health, housekeeping, leases, running
from messaging.dispatching.account import OwnedAccount
from messaging.dispatching.asking import Asking
from messaging.dispatching.database import DATABASE_FAULTS, Threads
from messaging.dispatching.names import Names
from messaging.dispatching.routes import Routes
from messaging.gateways.base import GatewayError
from messaging.models import Gateway

log = logging.getLogger("sheyi.dispatcher")

THREADS = 5
LOOK_SECONDS = 1.0
# At its end a dispatcher waits so long for answers under way; what is open then is in doubt.
STOP_SECONDS = 20
# An account that could not be opened as its row stands is tried again so much later.
CLOSED_SECONDS = 5.0
# Before the lease ends by our clock; one statement's way to the database and back is not our time to send in.
MARGIN = 0.2


class Dispatcher:
    """``run`` ends after ``stop`` was called, or when the lease is lost (``lost``): then another one, with another
    name, may begin. ``accounts``: gateway → what is owned."""

    def __init__(self):
        self.name = leases.new_name()
        self.threads, self.heart = Threads(THREADS, "sms"), Threads(1, "sms-lease")
        self.accounts: dict[int, OwnedAccount] = {}
        self.rows: dict[int, tuple] = {}
        # Those that are being opened, which takes as long as their name is looked up, and let go, which takes as long as
        # their carriers' answers: nobody else waits for it. ``closed``: with what, and when they are tried again.
        self.coming: dict[int, asyncio.Task] = {}
        self.going: dict[int, asyncio.Task] = {}
        self.closed: dict[int, tuple] = {}
        self.routes, self.work = Routes(), running.Work()
        self.lost = False
        self._telling = asyncio.Lock()
        self._in_force_until = 0.0
        self._stopping = asyncio.Event()

    def in_force(self) -> bool:
        """Whether our lease holds at this moment, by this machine's own clock."""
        return monotonic() < self._in_force_until and not self.lost

    def stop(self):
        self._stopping.set()

    async def run(self):
        beat = asyncio.create_task(self._beat())
        keeping = asyncio.create_task(housekeeping.Housekeeping(self).run())
        asking = asyncio.create_task(Asking(self).run())
        names = asyncio.create_task(Names(self).run())
        try:
            while not self._stopping.is_set() and not self.lost:
                began = monotonic()
                await self._quietly(self._look)
                rest = LOOK_SECONDS - (monotonic() - began)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), max(0.05, rest))
        finally:
            for task in (keeping, asking, names):
                task.cancel()
            await asyncio.gather(keeping, asking, names, return_exceptions=True)
            await self._end()
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            with suppress(*DATABASE_FAULTS):
                await self.heart.run(leases.rest, self.name)
            await asyncio.to_thread(self.threads.close)
            await asyncio.to_thread(self.heart.close)

    async def _quietly(self, act):
        """A database that is away for a while ends nothing."""
        try:
            await act()
        except DATABASE_FAULTS as error:
            log.warning("database away: %s", type(error).__name__)
        except Exception:
            log.exception("a look went wrong")

    # the lease

    async def _beat(self):
        """Three times within a lease, in a thread of its own."""
        known = False
        while not self.lost:
            began = monotonic()
            try:
                if not known:
                    known = await self.heart.run(leases.take, self.name, self.name)
                    held = {self.name} if known else set()
                else:
                    held = await self.heart.run(leases.renew, self.name, self._names())
                await self._renewed(held, began)
            except DATABASE_FAULTS as error:
                log.warning("lease not renewed: %s", type(error).__name__)
            except Exception:
                log.exception("a beat went wrong")
            await asyncio.sleep(settings.SMS_LEASE_SECONDS / 4)

    def _names(self):
        return [self.name, *(leases.account(gateway) for gateway in (*self.accounts, *self.coming))]

    async def _renewed(self, held, began):
        if self.name not in held:
            log.error("lease lost", extra={"facts": {"holder": self.name}})
            self.lost = True
            self._stopping.set()
            return
        self._in_force_until = began + settings.SMS_LEASE_SECONDS - MARGIN
        for gateway, account in list(self.accounts.items()):
            if account.owned and account.since < began and leases.account(gateway) not in held:
                log.error("account lost", extra={"facts": {"gateway": gateway}})
                account.owned = False

    # every second

    async def _look(self):
        if not self.in_force():
            return
        await self._share()
        if not self.accounts:
            return
        self.routes.set(*await self.threads.run(Routes.read, settings.SMS_LEASE_SECONDS))
        self.work = await self.threads.run(running.look, Carrier.values, timezone.now())
        if any(account.books.broken for account in self.accounts.values()):
            self.lost = True
            self._stopping.set()
            return
        for account in list(self.accounts.values()):
            await account.keep_only(self.work.allowed)
            await account.tidy()
        await self._tell()

    async def _tell(self):
        now = timezone.now()
        async with self._telling:
            lines = [account.line(now) for account in self.accounts.values() if account.owned]
            if lines:
                await self.threads.run(health.write, self.name, lines)

    async def _share(self):
        """Let go what is switched off, changed, lost or too much; take what is free, up to our share."""
        rows, dispatchers, networks = await self.threads.run(_accounts)
        settled = [key for key in self.accounts if key not in self.coming and key not in self.going]
        leaving = [key for key in settled if self._must_go(key, rows, networks)]
        share = leases.share(len(rows), dispatchers)
        staying = [key for key in settled if key not in leaving]
        if not leaving and not self.going and len(staying) > share:
            leaving = staying[-1:]
        for key in leaving:
            self.going[key] = asyncio.create_task(self._let_go(key, key in rows))
        for key in sorted(rows):
            if len({*self.accounts, *self.coming}) >= share or self._stopping.is_set():
                break
            if key in self.accounts or key in self.coming or key in self.going or self._is_closed(key, rows):
                continue
            if await self.threads.run(leases.take, leases.account(key), self.name):
                self.coming[key] = asyncio.create_task(self._quietly(partial(self._open, key, *rows[key])))

    def _must_go(self, key, rows, networks):
        account = self.accounts[key]
        if not account.owned or account.moved or key not in rows or self.rows.get(key) != rows[key][1]:
            return True
        given = account.account
        return not allowed.within([*given.addresses, *allowed.peers_of(given.options)], networks)

    def _is_closed(self, key, rows):
        state, until = self.closed.get(key, (None, 0))
        return state == rows[key][1] and monotonic() < until

    async def _open(self, key, gateway, state):
        try:
            await self._open_allowed(key, gateway, state)
        finally:
            self.coming.pop(key, None)

    async def _open_allowed(self, key, gateway, state):
        self.rows[key] = state
        try:
            found = await asyncio.to_thread(
                allowed.addresses, gateway.host
            )  # our own threads have more to do
            addresses = await self.threads.run(allowed.check, gateway.host, found)
            await self.threads.run(allowed.check_peers, gateway.options)
            given = await self.threads.run(gateways.account_of, gateway)
            account = OwnedAccount(self, gateway, replace(given, addresses=tuple(addresses)))
        except (Refused, GatewayError) as error:
            self.closed[key] = state, monotonic() + CLOSED_SECONDS
            await self._tell_closed(key, error.message)
            return
        if self._stopping.is_set():
            await self.threads.run(leases.release, leases.account(key), self.name)
            return
        await account.start()
        self.accounts[key] = account
        await self._tell()
        log.info("account taken", extra={"facts": {"gateway": key, "holder": self.name}})

    async def _tell_closed(self, key, sentence):
        """Nobody can serve it as it is written; its lease runs out, and it is tried again."""
        line = (key, GatewayState.DOWN, 0, None, str(sentence)[:200], timezone.now(), 0.0, 0.0)
        await self.threads.run(health.write, self.name, [line])
        await self.threads.run(leases.release, leases.account(key), self.name)

    async def _let_go(self, key, active):
        account = self.accounts[key]
        try:
            if account.owned and self.in_force():
                await account.stop(STOP_SECONDS)
            else:
                await account.abort()
        except Exception:  # ours; what is open is for whoever recovers it
            log.exception("an account did not end well")
            self.lost = True
            self._stopping.set()
        with suppress(*DATABASE_FAULTS):
            async with self._telling:
                self.accounts.pop(key, None)
                state = GatewayState.DOWN if active else GatewayState.OFF
                await self.threads.run(health.leave, key, self.name, state)
            await self.threads.run(leases.release, leases.account(key), self.name)
        self.going.pop(key, None)
        log.info("account let go", extra={"facts": {"gateway": key, "holder": self.name}})

    # the end

    async def _end(self):
        if self.in_force():
            with suppress(*DATABASE_FAULTS):
                await self.heart.run(leases.leave, self.name)
        await asyncio.gather(*self.coming.values())
        staying = [key for key in self.accounts if key not in self.going]
        await asyncio.gather(*self.going.values(), *(self._let_go(key, True) for key in staying))


def _accounts():
    """({gateway: (row, what of it would change the connections)}, living dispatchers, allowed networks), in a thread."""
    names = ("protocol", "host", "port", "login", "secret", "access_number", "connections", "window", "rate",
             "connect_seconds", "answer_seconds", "idle_seconds", "report_hours")  # fmt: skip
    found = {}
    for row in Gateway.objects.active():
        found[row.pk] = (row, (*(getattr(row, name) for name in names), repr(row.options)))
    return found, leases.living(), allowed.networks()
