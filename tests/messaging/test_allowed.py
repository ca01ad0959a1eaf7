"""Which addresses the house speaks to: allowed ones in their plain form, and nothing that only looks like one."""

import ipaddress
import socket

import pytest

from clinic.errors import Refused
from messaging import allowed
from messaging.models import AllowedAddress

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def networks():
    for network in ("10.20.0.0/16", "127.0.0.0/8", "2001:db8:5::/48"):
        AllowedAddress.objects.create(network=network)
    AllowedAddress.objects.create(network="192.168.0.0/16", active=False)


@pytest.fixture
def names(monkeypatch):
    """A resolver of our own: name → addresses."""
    known = {}

    def resolve(name, *args, **kwargs):
        if name not in known:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 0)) for one in known[name]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return known


@pytest.mark.parametrize("host", ["10.20.0.7", "10.20.255.255", "127.0.0.1", "2001:db8:5::7"])
def test_allowed_addresses(host):
    assert allowed.check(host) == [host]
    assert allowed.permitted(host)


@pytest.mark.parametrize(
    "host",
    [
        "10.21.0.1", "8.8.8.8", "192.168.1.1", "169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::", "::1",
        "fe80::1", "fe80::1%eth0", "::ffff:10.20.0.7", "::ffff:127.0.0.1", "2002:0a14:0007::1", "64:ff9b::a14:7",
        "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "10.20.7", "010.020.0.7", "1",
        "10.20.0.7:8080", "[2001:db8:5::7]", "10.20.0.7/", "http://10.20.0.7", "user@10.20.0.7", "10.20.0.7 ", "",
        "１０.20.0.7", "10。20。0。7", "a" * 300, "-a.example", "x\n10.20.0.7", "例子.cn",
    ],
)  # fmt: skip
def test_everything_else_is_refused(host, names):
    if host == "10.20.0.7 ":  # a blank from the clipboard does no harm
        assert allowed.check(host) == ["10.20.0.7"]
        return
    with pytest.raises(Refused) as refused:
        allowed.check(host)
    assert refused.value.code == "address"


def test_a_name_is_all_its_addresses(names):
    names["sms.example"] = ["10.20.0.7", "10.20.0.8"]
    names["both.example"] = ["10.20.0.7", "8.8.8.8"]
    assert allowed.check("sms.example") == ["10.20.0.7", "10.20.0.8"]
    assert not allowed.permitted("both.example")


def test_a_name_that_moves_is_asked_again(names):
    names["sms.example"] = ["10.20.0.7"]
    assert allowed.permitted("sms.example")
    names["sms.example"] = ["169.254.169.254"]
    assert not allowed.permitted("sms.example")


def test_a_name_without_an_address_and_a_strange_address_read_the_same(names):
    """Nobody learns by asking which names there are."""
    sentences = set()
    names["other.example"] = ["8.8.8.8"]
    for host in ("nobody.example", "other.example", "8.8.8.8"):
        with pytest.raises(Refused) as refused:
            allowed.check(host)
        sentences.add(refused.value.message)
    assert len(sentences) == 1


def test_nothing_is_allowed_where_no_list_is(names):
    AllowedAddress.objects.filter(active=True).update(active=False)
    assert not allowed.permitted("127.0.0.1")


@pytest.mark.parametrize(
    ("text", "kept"),
    [("10.20.3.4/16", "10.20.0.0/16"), (" 10.20.3.4 ", "10.20.3.4/32"), ("127.0.0.0/8", "127.0.0.0/8")],
)
def test_a_network_has_one_form(text, kept):
    assert str(allowed.network_of(text)) == kept


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0/0", "10.0.0.0/7", "::/0", "169.254.0.0/16", "224.0.0.0/8", "x", "10.0.0.0/33", "fe80::/64", ""],
)
def test_a_network_that_is_no_list(text):
    with pytest.raises(Refused):
        allowed.network_of(text)


def test_loopback_of_the_new_kind_is_told_by_its_network():
    AllowedAddress.objects.create(network=str(ipaddress.ip_network("::1/128")))
    assert allowed.permitted("::1")
