"""Carriers' gateways as clients: one file per protocol, each with its own exceptions under base.GatewayError.

``base`` is the contract with the dispatcher; ``frames``, ``link`` and ``pool`` are what protocols with long
connections share, ``text`` is how a text becomes short messages.
"""

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from messaging import secrets
from messaging.codes import Protocol
from messaging.gateways.base import Account, GatewayError, Pool, Sink

# Each is called with (account, sink) and has ``async probe(account) -> float`` as a class or static method.
POOLS = {
    Protocol.CMPP2: "messaging.gateways.cmpp.CmppPool",
    Protocol.CMPP3: "messaging.gateways.cmpp.CmppPool",
    Protocol.SGIP: "messaging.gateways.sgip.SgipPool",
    Protocol.SMGP: "messaging.gateways.smgp.SmgpPool",
    Protocol.SMPP: "messaging.gateways.smpp.SmppPool",
    Protocol.HTTP: "messaging.gateways.http.HttpPool",
}


def open_pool(account: Account, sink: Sink) -> Pool:
    """The account's pool, not started yet."""
    return _pool(account)(account, sink)


async def probe(account: Account) -> float:
    """Connect, log in, make an active test where the protocol has one, leave. Returns the seconds it took; raises
    GatewayError. The carrier counts it as a connection of its own."""
    return await _pool(account).probe(account)


def account_of(gateway) -> Account:
    """The account a gateway's row describes, its secret in clear."""
    return Account(
        gateway=gateway.pk,
        protocol=gateway.protocol,
        host=gateway.host,
        port=gateway.port,
        login=gateway.login,
        secret=secrets.reveal(gateway.secret),
        access_number=gateway.access_number,
        connections=gateway.connections,
        window=gateway.window,
        rate=gateway.rate,
        connect_seconds=gateway.connect_seconds,
        answer_seconds=gateway.answer_seconds,
        idle_seconds=gateway.idle_seconds,
        options=secrets.opened(gateway.options or {}),
    )


def _pool(account):
    try:
        return import_string(POOLS[account.protocol])
    except (KeyError, ImportError) as error:
        raise GatewayError(_("this protocol is not spoken here"), code="protocol") from error
