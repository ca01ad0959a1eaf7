"""The demo's gateways: one for each simulated carrier, the routes over them, and the loopback as an allowed network.

The carriers' ports are chosen anew whenever the last start's are taken, so ``point`` (a preparation of every start)
brings the demo's own rows along; rows that a person made or pointed elsewhere stay as they are.
"""

from django.conf import settings
from django.db import transaction

from messaging import secrets
from messaging.codes import Carrier
from messaging.gateways.base import GatewayError
from messaging.models import AllowedAddress, Gateway, GatewayHealth, Route
from messaging.simulators import accounts

NETWORK = "127.0.0.0/8"
ROUTES = {
    Carrier.MOBILE: ("cmpp3", "cmpp2", "http"),
    Carrier.UNICOM: ("sgip", "http", "smpp"),
    Carrier.TELECOM: ("smgp", "http", "smpp"),
    Carrier.BROADNET: ("smpp", "http"),
    Carrier.OTHER: ("smpp", "http"),
}


@transaction.atomic
def make(staff=None, residents=None):
    """Rows for a demo; harmless to repeat. Returns {name: Gateway}."""
    AllowedAddress.objects.get_or_create(network=NETWORK, defaults={"note": "演示：本机上的模拟运营商"})
    rows = {name: _gateway(demo) for name, demo in accounts.DEMOS.items()}
    for carrier, names in ROUTES.items():
        for position, name in enumerate(names, 1):
            Route.objects.get_or_create(carrier=carrier, gateway=rows[name], defaults={"position": position})
    for row in rows.values():
        GatewayHealth.objects.get_or_create(gateway=row)
    return rows


def _gateway(demo):
    values = {
        "name": demo.title, "protocol": demo.protocol, "carrier": demo.carrier, "host": accounts.LOOPBACK,
        "port": demo.port, "login": demo.login, "secret": secrets.store(demo.secret),
        "access_number": demo.access_number, "connections": demo.connections, "window": demo.window,
        "connect_seconds": 5, "answer_seconds": 10, "idle_seconds": 30, "options": accounts.options(demo.name),
    }  # fmt: skip
    return Gateway.objects.get_or_create(uuid=demo.uuid, defaults=values)[0]


@transaction.atomic
def point():
    """Point the demo's rows at where the carriers listen from now on, under the secrets they know. Where nobody said
    where that is (``manage.py prepare`` beside a running server) they stay as they are."""
    if not settings.SMS_SIMULATORS_TOLD:
        return
    demos = {demo.uuid: demo for demo in accounts.DEMOS.values()}
    for row in Gateway.objects.filter(uuid__in=demos, host=accounts.LOOPBACK).select_for_update():
        demo = demos[row.uuid]
        wanted = {"port": demo.port, "options": {**row.options, **_moving(demo.name)}}
        if not _knows(row, demo):
            wanted["secret"] = secrets.store(demo.secret)
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if changed:
            for name in changed:
                setattr(row, name, wanted[name])
            row.save(update_fields=changed)


def _moving(name):
    """The options that change with a start."""
    return {key: value for key, value in accounts.options(name).items() if key == "listen_port"}


def _knows(row, demo):
    try:
        return secrets.reveal(row.secret) == demo.secret
    except GatewayError:
        return False
