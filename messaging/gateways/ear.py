"""The listening half of a connection: frames are read, and reports acknowledged once they were committed."""

import asyncio
import logging
import socket
from collections import deque
from contextlib import suppress
from itertools import islice, takewhile
from time import monotonic

from django.utils.translation import gettext as _

from messaging.gateways.base import Garbled, GatewayError, Incoming, Report, Sink, Unreachable
from messaging.gateways.frames import Frames

log = logging.getLogger(__name__)

BACKLOG = 2000  # reports not committed yet: above this nothing more is read from the connection
BATCH = 500  # reports told to the sink at once
UNREAD = 2  # seconds a peer has to take our last words


class Ear(asyncio.Protocol):
    """The half of a connection that listens: frames, and reports told in order and acknowledged after the sink has
    them. Used as it is by a listener that carriers connect to (SGIP); ``Link`` is the other half."""

    def __init__(self, dialect, sink: Sink):
        self.dialect, self.sink = dialect, sink
        self.transport: asyncio.Transport | None = None
        self.error: GatewayError | None = None
        self.heard_at = monotonic()
        self._frames = Frames(dialect.SMALLEST, dialect.LARGEST, dialect.PADDING)
        self._out: list[bytes] = []
        self._told: deque[tuple[Report | Incoming, bytes]] = deque()
        self._telling: asyncio.Task | None = None
        self._paused = False

    # asyncio.Protocol

    def connection_made(self, transport):
        self.transport = transport
        if (sock := transport.get_extra_info("socket")) is not None:
            with suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def data_received(self, data):
        self.heard_at = monotonic()
        try:
            for frame in self._frames.feed(data):
                self.dialect.read(frame, self)
            if self._frames.broken is not None:
                raise self._frames.broken
        except GatewayError as error:
            self.fail(error)
        except Exception as error:  # whatever strange bytes did to the dialect
            log.warning("a frame could not be read: %s", type(error).__name__)
            self.fail(Garbled(_("a frame could not be read"), code="frame"))
        self._finish_read()

    def connection_lost(self, exc):
        self.transport = None
        if self.error is None and exc is not None:
            self.error = Unreachable(_("the connection broke"), code="lost")

    # what a dialect calls

    def reply(self, frame: bytes):
        """Written together with everything else this read gives rise to."""
        self._out.append(frame)

    def reported(self, report: Report, reply: bytes):
        self._told.append((report, reply))

    heard = reported  # Incoming; told in the same line, so that nothing overtakes

    def farewell(self, frame: bytes):
        self.reply(frame)
        self._flush()
        self.close()

    # the rest

    @property
    def open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def fail(self, error: GatewayError):
        """Close because of a fault; the first one counts."""
        if self.error is None:
            self.error = error
        self._flush()
        self.close()

    def close(self):
        """Close when everything is written; a peer that does not take it in time is left all the same."""
        if self.open:
            self.transport.close()
            asyncio.get_running_loop().call_later(UNREAD, self.transport.abort)

    async def settled(self):
        """Return when everything told has been committed (or the sink failed)."""
        while self._telling is not None:
            await asyncio.wait([self._telling])

    def give_up(self):
        """Tell nothing more."""
        self._told.clear()
        if self._telling is not None:
            self._telling.cancel()

    def _finish_read(self):
        self._flush()
        if self._told and self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell())
        if len(self._told) > BACKLOG and not self._paused and self.open:
            self._paused = True
            self.transport.pause_reading()

    def _flush(self):
        if self._out and self.open:
            self.transport.write(b"".join(self._out))
        self._out.clear()

    async def _tell(self):
        try:
            while self._told:
                kind = type(self._told[0][0])
                batch = list(takewhile(lambda one: type(one[0]) is kind, islice(self._told, BATCH)))  # noqa: B023
                tell = self.sink.heard if kind is Incoming else self.sink.reported
                await tell([item for item, _ in batch])
                for _taken in range(min(len(batch), len(self._told))):
                    self._told.popleft()
                self._out.extend(reply for _, reply in batch)
                self._flush()
                self._read_on()
        except Exception as error:  # the database, above all: the carrier keeps them and sends them again
            log.error("reports could not be taken: %s", type(error).__name__)
            self._told.clear()
            self.fail(GatewayError(_("reports could not be taken"), code="inbox"))
        finally:
            self._telling = None

    def _read_on(self):
        if self._paused and len(self._told) < BACKLOG // 2:
            self._paused = False
            self.heard_at = monotonic()
            if self.open:
                self.transport.resume_reading()
