"""Which addresses the house speaks to at all: networks that the district allowed (``AllowedAddress``).

A gateway's row is data, so whoever may write one could have the server knock at any door of the closed network
(SSRF). A host is an address in its plain form, or a name all of whose addresses are allowed. Asked when a gateway is
written, and again before a connection is opened, since names move.
"""

import ipaddress
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong

from django.utils.translation import gettext as _

from clinic.errors import Refused
from messaging.models import AllowedAddress

NAME = re.compile(
    r"(?=.{1,100}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?",
    re.IGNORECASE,
)
# Every way libc reads a number as an address: 2130706433, 0x7f.1, 0177.0.0.1, 127.1.
NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
# Wider than this is no list of addresses any more.
WIDEST = {4: 8, 6: 32}
RESOLVE_SECONDS = 3
_resolver = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")


def check(host: str, found: list | None = None) -> list[str]:
    """The addresses of the host, all of them allowed. Refused code "address" (field "host") otherwise, with the same
    sentence whether an address is there or not: nobody learns about the network by asking. ``found``: what ``addresses``
    has just said of it."""
    found = addresses(host) if found is None else found
    known = networks()
    if not found or not all(_inside(address, known) for address in found):
        raise Refused(
            _("This address is not in an allowed network. District IT keeps the list of allowed addresses."),
            code="address",
            field="host",
        )
    return [str(address) for address in found]


def check_peers(options) -> None:
    """The networks from which a carrier may come to our own listener (SGIP's option ``peers``) are in the list, too.
    Refused code "address" (field "option_peers") otherwise."""
    try:
        inside = within(peers_of(options), networks())
    except (ValueError, TypeError):
        inside = False
    if not inside:
        raise Refused(
            _(
                "The carrier may only come from allowed networks. District IT keeps the list of allowed addresses."
            ),
            code="address",
            field="option_peers",
        )


def peers_of(options) -> list[str]:
    """The option, as a list."""
    peers = (options or {}).get("peers") or []
    return peers.replace(",", " ").split() if isinstance(peers, str) else peers


def within(wanted, allowed) -> bool:
    """Whether these addresses and networks (as text) lie in the allowed networks."""
    return all(
        any(one.version == network.version and one.subnet_of(network) for network in allowed)
        for one in (ipaddress.ip_network(text, strict=False) for text in wanted)
    )


def permitted(host: str) -> bool:
    """Whether the host may be spoken to now. Asks the database and the resolver: not for the event loop."""
    try:
        return bool(check(host))
    except Refused:
        return False


def addresses(host: str) -> list:
    """What the host stands for; [] where it is neither an address in its plain form nor a name that resolves."""
    host = host.strip()
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    if not NAME.fullmatch(host) or NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return []
    return _resolve(host)


def network_of(text: str):
    """The network a person means, in its one form. Refused code "network" for none, and for one that allows half the
    world or what is no single host's address."""
    try:
        found = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Refused(
            _("A network is written 10.20.0.0/16, one address 10.20.0.7."), code="network", field="network"
        ) from error
    if found.prefixlen < WIDEST[found.version] or not _plain(found.network_address):
        raise Refused(
            _("This network is too wide, or not one that hosts have addresses in."),
            code="network",
            field="network",
        )
    return found


def _resolve(name):
    try:
        rows = _resolver.submit(socket.getaddrinfo, name, None, type=socket.SOCK_STREAM).result(
            RESOLVE_SECONDS
        )
        # "fe80::1%eth0": an address with a zone is link-local.
        return list(dict.fromkeys(ipaddress.ip_address(row[4][0]) for row in rows))
    except (OSError, ValueError, UnicodeError, TooLong):
        return []


def networks() -> list:
    """The list as it is now."""
    rows = AllowedAddress.objects.filter(active=True).values_list("network", flat=True)
    return [ipaddress.ip_network(text, strict=False) for text in rows]


def _inside(address, networks):
    return _plain(address) and any(
        address.version == network.version and address in network for network in networks
    )


def _plain(address):
    """Neither link-local (the metadata of a cloud), unspecified, multicast nor an IPv4 address in IPv6's clothes."""
    if address.is_link_local or address.is_unspecified or address.is_multicast or address.is_reserved:
        return address.version == 6 and address.is_loopback
    if address.version == 4:
        return address not in ipaddress.ip_network("0.0.0.0/8")
    return (
        getattr(address, "scope_id", None) is None
        and address.ipv4_mapped is None and address.sixtofour is None and address.teredo is None
        and address not in ipaddress.ip_network("64:ff9b::/96")
    )  # fmt: skip
