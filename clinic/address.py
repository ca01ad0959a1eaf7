"""Where a request comes from. A forwarded address counts only from a proxy that we trust."""

import ipaddress

from django.conf import settings


def client_address(request) -> str:
    """The client's address. X-Forwarded-For is read from the right, past our own proxies, since
    everything further left is the client's own word."""
    address = request.META.get("REMOTE_ADDR", "") or ""
    if not _trusted(address):
        return address
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        hop = hop.strip()
        if not _is_address(hop):
            return address
        address = hop
        if not _trusted(address):
            break
    return address


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(address):
    if not _is_address(address):
        return False
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(net, strict=False) for net in settings.TRUSTED_PROXIES)
