"""Writing carrier accounts and the networks they may be in; trying whether an account works."""

import asyncio
import logging
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from messaging import allowed, gateway_options, gateways, secrets
from messaging.gateways.base import GatewayError
from messaging.models import Gateway

log = logging.getLogger("sheyi.messaging")
# What a person at the desk waits for at the most, whatever the account's own times are.
TEST_SECONDS = 8
FIELDS = (
    "name", "protocol", "carrier", "host", "port", "login", "access_number", "connections", "window", "rate",
    "connect_seconds", "answer_seconds", "idle_seconds", "report_hours", "active",
)  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """What came of a test: in a sentence for the person; ``seconds`` it took, ``code`` of the fault."""

    ok: bool
    sentence: str
    seconds: float = 0
    code: str = ""


def keep(*, gateway, by, secret="", options=None, request=None):
    """Write a gateway as it stands in memory (new, or changed by a form); return it.

    ``secret`` is stored encrypted, "" leaves what is there; ``options`` (None: leave) are checked against those of the
    protocol. Refused codes: address (recorded in the trail, nothing saved), secret, options, taken, protocol.
    """
    _may(by, "messaging.add_gateway" if gateway._state.adding else "messaging.change_gateway")
    try:
        allowed.check(gateway.host)
        _keep(gateway, by, secret, options, request)
    except Refused as refusal:
        if refusal.code == "address":
            refused_address(gateway=gateway, by=by, request=request)
        raise
    return gateway


def _keep(gateway, by, secret, options, request):
    with transaction.atomic():
        before = None if gateway._state.adding else Gateway.objects.select_for_update().get(pk=gateway.pk)
        if before and before.protocol != gateway.protocol:
            raise Refused(_("Another protocol is another gateway."), code="protocol", field="protocol")
        _fill(gateway, before, secret, options)
        allowed.check_peers(gateway.options)
        changed = [
            name for name in (*FIELDS, "secret", "options")
            if before is None or getattr(gateway, name) != getattr(before, name)
        ]  # fmt: skip
        if changed:
            _save(gateway, changed if before else None)
            audit.record(Act.GATEWAY, by=by, request=request, obj=gateway, detail={"fields": changed})


def _fill(gateway, before, secret, options):
    gateway.host = gateway.host.strip()
    gateway.secret = secrets.store(secret) if secret else before.secret if before else ""
    kept = before.options if before else None
    gateway.options = (
        kept or {} if options is None else gateway_options.clean(gateway.protocol, options, kept)
    )


def refused_address(*, gateway, by, request=None):
    """An address outside the list was tried: a line in the trail, without the address itself."""
    known = None if gateway._state.adding else gateway
    return audit.record(
        Act.REFUSED, by=by, request=request, obj=known, reason="address", detail={"what": "gateway"}
    )


def switch(*, gateway, active, by, request=None):
    """Take a gateway into use or out of it; return it. What is on the wire is finished by its dispatcher."""
    _may(by, "messaging.change_gateway")
    with transaction.atomic():
        row = Gateway.objects.select_for_update().get(pk=gateway.pk)
        if row.active != active:
            row.active = active
            row.save(update_fields=["active"])
            audit.record(
                Act.GATEWAY, by=by, request=request, obj=row, detail={"fields": ["active"], "active": active}
            )
    return row


def try_out(*, gateway, by, request=None) -> Tried:
    """Log in at the carrier as a connection of its own and leave again, within TEST_SECONDS. Recorded; the answer holds
    no secret."""
    _may(by, "messaging.test_gateway")
    found = _try(gateway)
    audit.record(
        Act.GATEWAY, by=by, request=request, obj=gateway,
        detail={"what": "test", "ok": found.ok, "code": found.code, "ms": round(found.seconds * 1000)},
    )  # fmt: skip
    return found


def _try(gateway):
    try:
        addresses = allowed.check(gateway.host)
        account = gateways.account_of(gateway)
        short = replace(
            account,
            addresses=tuple(addresses),
            connect_seconds=min(account.connect_seconds, TEST_SECONDS / 2),
            answer_seconds=min(account.answer_seconds, TEST_SECONDS / 2),
        )
        seconds = asyncio.run(asyncio.wait_for(gateways.probe(short), TEST_SECONDS))
    except Refused as refusal:
        return Tried(False, refusal.message, code=refusal.code)
    except TimeoutError:
        return Tried(
            False, _("No answer within %(count)d seconds.") % {"count": TEST_SECONDS}, TEST_SECONDS, "silent"
        )
    except GatewayError as error:
        return Tried(False, _told(error), code=error.code)
    except Exception as error:  # whatever a carrier's answer did to us, the desk gets a sentence
        log.exception("gateway test failed", extra={"facts": {"kind": type(error).__name__}})
        return Tried(False, _("The test failed for a reason of our own; it stands in the log."), code="own")
    return Tried(
        True, _("The account works: logged in and answered in %(ms)d ms.") % {"ms": round(seconds * 1000)}, seconds
    )  # fmt: skip


def _told(error):
    return _("%(sentence)s (%(code)s)") % {"sentence": error.message, "code": error.code}


def allow(*, address, by, request=None):
    """Write an allowed network as it stands in memory; return it. Refused codes: network, taken."""
    new = address._state.adding
    _may(by, "messaging.add_allowedaddress" if new else "messaging.change_allowedaddress")
    address.network = str(allowed.network_of(address.network))
    with transaction.atomic():
        _save(address, None)
        audit.record(
            Act.GATEWAY, by=by, request=request, obj=address,
            detail={"what": "allowed", "network": address.network, "active": address.active},
        )  # fmt: skip
    return address


def _save(row, fields):
    try:
        with transaction.atomic():
            row.save(update_fields=fields)
    except IntegrityError as error:
        raise Refused(_("This is there already."), code="taken") from error


def _may(by, right):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."), code="right")
