"""The job that knocks at every configured line: a TCP connection, how long it took, and a ticket when it does not answer again
and again. Lines are knocked at together; a run ends before the next one begins."""

import asyncio
import time
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance.actions import tickets
from maintenance.codes import OPEN, Channel, EventKind, Module, Severity, TicketKind
from maintenance.events import tell
from maintenance.models import Equipment, LinkHour, LinkState

TIMEOUT, AT_ONCE, LONGEST_RUN = 3, 200, 45
SPACE = uuid.UUID("1f2b8a64-6d0f-4a43-8a0a-2f4f9f1f7c21")


@dataclass(frozen=True)
class Answer:
    """``round_trip`` in microseconds; None: nobody answered."""

    equipment: Equipment
    round_trip: int | None


def probe(now=None) -> int:
    """Knock at all lines in use and write down what came; returns how many were asked."""
    now = now or timezone.now()
    lines = list(
        Equipment.objects.filter(active=True).exclude(host="").select_related("institution").order_by("pk")
    )
    for answer in asyncio.run(_knock(lines)):
        _keep(answer, now)
    return len(lines)


async def _knock(lines):
    gate, end = asyncio.Semaphore(AT_ONCE), time.monotonic() + LONGEST_RUN

    async def one(line):
        async with gate:
            left = end - time.monotonic()
            # What a run has no time for is asked by the next one: silence would be a lie.
            return await _connect(line, min(TIMEOUT, left)) if left > 0 else None

    return [answer for answer in await asyncio.gather(*map(one, lines)) if answer is not None]


async def _connect(line, patience):
    began = time.perf_counter()
    try:
        _reader, writer = await asyncio.wait_for(asyncio.open_connection(line.host, line.port), patience)
    except (OSError, TimeoutError, UnicodeError):
        return Answer(line, None)
    took = round((time.perf_counter() - began) * 1_000_000)
    writer.close()
    return Answer(line, took)


@transaction.atomic
def _keep(answer, now):
    """The line's state and its hour; two workers who knock at once write one after the other."""
    line, ok = answer.equipment, answer.round_trip is not None
    LinkState.objects.get_or_create(equipment=line, defaults={"probed_at": now, "ok": True})
    state = LinkState.objects.select_for_update(of=("self",)).select_related("ticket").get(equipment=line)
    state.probed_at, state.ok, state.round_trip = now, ok, answer.round_trip
    if ok:
        _back(state, now)
    else:
        state.failed = min(state.failed + 1, 30_000)
        state.down_since = state.down_since or now
        if state.failed >= line.failures and (state.ticket is None or state.ticket.state not in OPEN):
            state.ticket = _report(line, state, now)
    state.save()
    _count(line, answer.round_trip, now)


def _back(state, now):
    """It answers again: its ticket hears of it, once."""
    if state.down_since is not None and state.ticket is not None and state.ticket.state in OPEN:
        minutes = int((now - state.down_since).total_seconds() // 60)
        tell(
            state.ticket,
            EventKind.COMMENT,
            at=now,
            words=_("The line answers again after %(n)d minutes.") % {"n": minutes},
        )
    state.failed, state.down_since = 0, None


def _report(line, state, now):
    return tickets.report(
        key=uuid.uuid5(SPACE, f"{line.uuid} {state.down_since.isoformat()}"), kind=TicketKind.FAULT, module=Module.NETWORK,
        severity=Severity.SERIOUS, channel=Channel.PROBE, by=None, institution=line.institution, equipment=line, now=now,
        title=_("%(name)s does not answer") % {"name": line.name},
        description=_("%(n)d probes in a row found nobody, the first at %(since)s.")
        % {"n": state.failed, "since": timezone.localtime(state.down_since).strftime("%m-%d %H:%M")},
    )  # fmt: skip


def _count(line, round_trip, now):
    hour = now.replace(minute=0, second=0, microsecond=0)
    LinkHour.objects.get_or_create(equipment=line, hour=hour)
    failed = int(round_trip is None)
    LinkHour.objects.filter(equipment=line, hour=hour).update(
        probes=F("probes") + 1, failed=F("failed") + failed, total=F("total") + (round_trip or 0),
        worst=Greatest(F("worst"), round_trip or 0),
    )  # fmt: skip
