"""All simulated carriers in one process, started, steered and stopped together."""

import asyncio
import json
from pathlib import Path

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.gateways.frames import digits
from messaging.simulators import accounts
from messaging.simulators.carrier import Carrier
from messaging.simulators.faults import UnknownFault
from messaging.simulators.ledger import Ledger

KEPT = 20_000  # messages of each carrier that can be looked at
SHOWN = 100
ALL = "all"
# What may be told besides the names of faults.
VERBS = ("up", "down", "kick", "reset", "clear", "mo")


class Mistold(ValueError):
    """A carrier, a verb, a fault or a value that there is not."""


class Company:
    """``ports``: {name: port}, 0 for a free one. ``folder``: where each carrier's ledger is written as JSON lines."""

    def __init__(self, ports: dict[str, int], folder: str | Path | None = None, host=accounts.LOOPBACK):
        self.ports, self.host = ports, host
        self.carriers: dict[str, Carrier] = {
            name: self._carrier(demo, folder) for name, demo in accounts.DEMOS.items()
        }

    def _carrier(self, demo, folder):
        path = Path(folder) / f"{demo.name}.jsonl" if folder else None
        more = {}
        if demo.name == "sgip":
            there = (accounts.LOOPBACK, int(settings.SMS_SIMULATORS["reports"]), demo.login, demo.secret)
            more["listeners"] = {demo.login: there}
        elif demo.name == "http":
            more |= {
                "hook": accounts.hook_address(),
                "hook_host": settings.SMS_SIMULATORS.get("hook_host", ""),
            }
        ledger = Ledger(path, keep=KEPT)
        return import_string(demo.kind)({demo.login: demo.secret}, name=demo.name, ledger=ledger, **more)

    async def start(self):
        """Raises OSError with the carrier's name if a port is taken; then none is left open."""
        for name, carrier in self.carriers.items():
            try:
                await carrier.start(self.host, self.ports.get(name, 0))
            except OSError as error:
                await self.stop()
                raise OSError(error.errno, f"{name}: {error.strerror or error}") from error

    async def empty(self, seconds):
        """Return when nobody is logged in any more, after so many seconds at the latest: a dispatcher that stops at
        the same time still gets its answers."""
        end = asyncio.get_running_loop().time() + seconds
        while any(one.sessions for one in self.carriers.values()) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)

    async def stop(self):
        for carrier in self.carriers.values():
            if hasattr(carrier, "loop"):  # it was started
                await carrier.stop()

    def status(self) -> list[dict]:
        return [carrier.status() for carrier in self.carriers.values()]

    def last(self, name: str, count=SHOWN) -> list[dict]:
        """What the carrier took last, the newest first."""
        (carrier,) = self._named(name, one=True)
        return carrier.ledger.entries[: -count - 1 : -1]

    async def tell(self, name: str, words: dict) -> None:
        """Tell a carrier, or all: faults by name, and ``up``, ``down``, ``kick``, ``reset``, ``clear`` (true), ``mo``
        ("phone:text"). Raises Mistold and changes nothing where something is wrong."""
        carriers = self._named(name)
        verbs = {word: value for word, value in words.items() if word in VERBS}
        faults = {word: value for word, value in words.items() if word not in VERBS}
        if "reset" in verbs:
            faults["reset"] = True
        written = self._written(verbs.get("mo"))
        if {"up", "down"} <= verbs.keys():
            raise Mistold("up and down at once")
        for carrier in carriers:
            try:
                carrier.faults.update_from(faults)
            except UnknownFault as error:
                raise Mistold(str(error)) from error
        for carrier in carriers:
            await self._do(carrier, verbs, written)

    async def _do(self, carrier, verbs, written):
        if "down" in verbs and carrier.is_open:
            await carrier.close_door()
        if "up" in verbs and not carrier.is_open:
            try:
                await carrier.open_door()
            except OSError as error:
                raise Mistold(f"port {carrier.port}: {error.strerror}") from error
        if "kick" in verbs:
            carrier.kick()
        if "clear" in verbs:
            carrier.ledger.clear()
        if written:
            carrier.send_mo(*written, to=accounts.DEMOS[carrier.name].access_number)

    def _written(self, said):
        """(phone, text) of "phone:text"."""
        if said is None:
            return None
        phone, _, text = str(said).partition(":")
        phone = digits(phone)
        if not (phone.isascii() and phone.isdigit() and len(phone) <= 20 and 0 < len(text) <= 500):
            raise Mistold("mo=phone:text")
        return phone, text

    def _named(self, name, one=False):
        if name == ALL and not one:
            return list(self.carriers.values())
        if name not in self.carriers:
            raise Mistold(f"no such carrier: {str(name)[:20]}")
        return [self.carriers[name]]


def words_of(pairs) -> dict:
    """{"latency": 0.2, "down": True} of ["latency=0.2", "down"]; values are JSON, else plain text."""
    words = {}
    for pair in pairs:
        name, given, value = pair.partition("=")
        try:
            words[name] = json.loads(value) if given else True
        except ValueError:
            words[name] = value
    return words
