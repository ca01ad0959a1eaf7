"""Who may call the receipt hook, and what it keeps: reports and messages from handsets that the HTTP platform posts.

A call is let in by its signature alone (messaging.gateways.http_wire says how it is made): under the secret of the
account it names, of these few minutes, its nonce for the first time. Whatever is wrong with it, nothing is kept and the
caller learns a status and a word.
"""

from collections import Counter
from datetime import timedelta
from hmac import compare_digest
from time import monotonic

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, transaction
from django.http import UnreadablePostError

from messaging import secrets
from messaging.codes import Protocol
from messaging.dispatching import inbox
from messaging.gateways.base import GatewayError
from messaging.gateways.http_wire import NONCE, NONCES, SIGNATURE, STAMPS, TIME, HttpGarbled, Words, signature
from messaging.models import Gateway, HookCall

LIMIT = 1 << 20  # bytes of a call
QUIET_SECONDS = 60
REMEMBERED = 1000


class Refusal(Exception):
    """``status`` of the answer, ``code``: one word for it and for the trail; ``gateway`` where it is known."""

    def __init__(self, status, code, gateway=None):
        super().__init__(code)
        self.status, self.code, self.gateway = status, code, gateway


def take(gateway_id, request, now) -> int:
    """Keep what the call says; return how much of it was new. When it returns, it is committed. Raises Refusal."""
    body = body_of(request)
    gateway = Gateway.objects.active().filter(uuid=gateway_id, protocol=Protocol.HTTP).first()
    if gateway is None:
        raise Refusal(404, "gateway")
    nonce = let_in(gateway, request.headers, body, now)
    try:
        reports, messages = Words(gateway.options).told(body)
    except HttpGarbled as error:
        raise Refusal(400, error.code, gateway) from None
    except GatewayError as error:  # the account's options: not the caller's fault
        raise Refusal(503, error.code, gateway) from None
    with transaction.atomic():
        use_up(gateway, nonce, now)
        return inbox.keep_reports(gateway.pk, reports, now) + inbox.keep_incoming(gateway.pk, messages, now)


def body_of(request) -> bytes:
    """The raw body, if it may be one. Its size is judged before it is read."""
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > LIMIT:
            raise Refusal(413, "size")
    except ValueError:
        raise Refusal(400, "size") from None
    if request.content_type != "application/json":
        raise Refusal(400, "type")
    try:
        return request.body
    except RequestDataTooBig:
        raise Refusal(413, "size") from None
    except UnreadablePostError:
        raise Refusal(400, "body") from None


def let_in(gateway, headers, body, now) -> str:
    """The nonce of a call that is signed with the gateway's secret, now. Raises Refusal 401."""
    stamp, nonce = headers.get(TIME, ""), headers.get(NONCE, "")
    if not (STAMPS.fullmatch(stamp) and NONCES.fullmatch(nonce)):
        raise Refusal(401, "header", gateway)
    try:
        secret = secrets.reveal(gateway.secret)
    except GatewayError:
        raise Refusal(503, "secret", gateway) from None
    if not secret:  # anybody could sign with no secret
        raise Refusal(503, "secret", gateway)
    given = headers.get(SIGNATURE, "").lower().encode("utf-8", "replace")
    if not compare_digest(given, signature(secret, stamp, nonce, body).encode()):
        raise Refusal(401, "signature", gateway)
    if abs(now.timestamp() - int(stamp)) > settings.SMS_HOOK_SECONDS:
        raise Refusal(401, "time", gateway)
    return nonce


def use_up(gateway, nonce, now):
    """In the transaction that keeps what the call says: a second call with this nonce waits here, then is refused. If
    the first comes to nothing its nonce is free again."""
    try:
        with transaction.atomic():
            HookCall.objects.create(gateway=gateway, nonce=nonce, at=now)
    except IntegrityError:
        raise Refusal(409, "replay", gateway) from None


def forget(now) -> int:
    """Delete the nonces of calls whose time stamp alone would be refused by now: it may have been ahead of our clock
    by as much as it may be behind."""
    old = now - timedelta(seconds=2 * settings.SMS_HOOK_SECONDS + 3600)
    return HookCall.objects.filter(at__lt=old).delete()[0]


class Watch:
    """Which refusals are worth a line in the trail: of one kind, from one address, to one gateway, one a minute and
    process. Whoever hammers at the door with rubbish does not write the trail full; the log has every request."""

    def __init__(self, clock=monotonic):
        self.clock = clock
        self.told: dict[tuple, float] = {}
        self.unsaid: Counter = Counter()

    def says(self, refusal, address) -> int | None:
        """How many of its kind were left out since the last line; None: leave this out too."""
        key = (refusal.code, address, refusal.gateway and refusal.gateway.pk)
        now = self.clock()
        if now - self.told.get(key, -QUIET_SECONDS) < QUIET_SECONDS:
            self.unsaid[key] += 1
            return None
        if len(self.told) >= REMEMBERED:
            self.told.clear()
            self.unsaid.clear()
        self.told[key] = now
        return self.unsaid.pop(key, 0)
