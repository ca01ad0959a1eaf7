"""The carriers that ``simulate_carriers`` runs and the demo's gateways speak to: names, ports, logins, secrets."""

import uuid
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from clinic.secret import derived
from messaging.codes import Carrier, Protocol

LOOPBACK = "127.0.0.1"
SPACE = uuid.UUID("6f1c2f0a-7f0e-4a57-9d44-2a6a2b6f5d10")


@dataclass(frozen=True)
class Demo:
    """One simulated carrier with one account. ``title`` is the name of the demo's row, ``label`` what the control page
    says. ``signs``: how long a secret the protocol takes."""

    name: str
    protocol: str
    carrier: str
    title: str
    label: str | Promise
    login: str
    access_number: str
    kind: str
    signs: int = 15
    connections: int = 1
    window: int = 16

    @property
    def secret(self) -> str:
        return derived(settings.SECRET_KEY, f"carriers {self.name}")[: self.signs]

    @property
    def port(self) -> int:
        return int(settings.SMS_SIMULATORS[self.name])

    @property
    def uuid(self) -> uuid.UUID:
        """Of the demo's gateway row: the same everywhere, so that the platform knows where its hook is."""
        return uuid.uuid5(SPACE, self.name)


DEMOS = {
    demo.name: demo
    for demo in (
        Demo(
            "cmpp3", Protocol.CMPP3, Carrier.MOBILE, "移动 CMPP 3.0（模拟）", gettext_lazy("China Mobile, CMPP 3.0"),
            "900001", "10690001", "messaging.simulators.cmpp.CmppCarrier", connections=2,
        ),
        Demo(
            "cmpp2", Protocol.CMPP2, Carrier.MOBILE, "移动备用 CMPP 2.0（模拟）", gettext_lazy("China Mobile in reserve, CMPP 2.0"),
            "900002", "10690002", "messaging.simulators.cmpp.CmppCarrier",
        ),
        Demo(
            "sgip", Protocol.SGIP, Carrier.UNICOM, "联通 SGIP（模拟）", gettext_lazy("China Unicom, SGIP"),
            "sheyi", "10655001", "messaging.simulators.sgip.SgipCarrier", window=32,
        ),
        Demo(
            "smgp", Protocol.SMGP, Carrier.TELECOM, "电信 SMGP（模拟）", gettext_lazy("China Telecom, SMGP"),
            "10000001", "10659001", "messaging.simulators.smgp.SmgpCarrier",
        ),
        Demo(
            "smpp", Protocol.SMPP, Carrier.OTHER, "虚拟运营商 SMPP（模拟）", gettext_lazy("Virtual operator, SMPP"),
            "sheyi-smpp", "10680001", "messaging.simulators.smpp.SmppCarrier", signs=8,
        ),
        Demo(
            "http", Protocol.HTTP, Carrier.OTHER, "区平台 HTTP（模拟）", gettext_lazy("District platform, HTTP"),
            "sheyi-http", "10690099", "messaging.simulators.http.HttpCarrier", signs=40, connections=2, window=40,
        ),
    )
}  # fmt: skip
NODE = 3010010001  # our SGIP node


def hook_address() -> str:
    """Where the simulated platform tells its receipts; "" where no server was named."""
    base = str(settings.SMS_SIMULATORS.get("hook") or "").rstrip("/")
    return f"{base}/hooks/sms/{DEMOS['http'].uuid}/" if base else ""


def control_token() -> str:
    """What the control page's forms and ``--tell`` bring along, so that no other site's page steers the carriers."""
    return derived(settings.SECRET_KEY, "carriers control")


def options(name: str) -> dict:
    """The demo gateway's options."""
    if name == "sgip":
        return {
            "node": NODE, "listen_host": LOOPBACK, "listen_port": int(settings.SMS_SIMULATORS["reports"]),
            "peers": ["127.0.0.0/8"],
        }  # fmt: skip
    return {}
