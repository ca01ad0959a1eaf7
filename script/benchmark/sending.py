"""Messages from the queue to their receipts over CMPP, and the same frames without a database."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from statistics import median

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from benchmark.carrier import LOGIN, SECRET, CarrierProcess
from clinic import postgres
from clinic.models import Institution
from messaging import gateways, secrets
from messaging.codes import Purpose
from messaging.gateways.base import Account, Segment
from messaging.models import AllowedAddress, Campaign, Gateway, GatewayHealth, Route, Tally

TEXT = "【社区卫生】张秀英您好，您预约的流感疫苗接种时间为本周三上午九点，请带身份证到站。"
CONNECTIONS, WINDOW = 4, 32


class Counting:
    """A sink that only counts."""

    def __init__(self):
        self.answers = self.reports = 0

    def answered(self, answers):
        self.answers += len(answers)

    async def reported(self, reports):
        self.reports += len(reports)

    async def heard(self, messages):
        """Nobody writes to us here."""

    def changed(self, up, error):
        """Seen by ``room``."""


def account(port, **facts):
    given = {"connections": CONNECTIONS, "window": WINDOW, **facts}
    return Account(1, "cmpp2", "127.0.0.1", port, LOGIN, SECRET, "10690001", **given)


async def without_database(port, count) -> float:
    """Messages a second with reports, nothing written down anywhere."""
    sink = Counting()
    pool = gateways.open_pool(account(port), sink)
    await pool.start()
    await pool.room()
    began, sent = time.perf_counter(), 0
    while sent < count:
        await pool.room()
        slots = pool.reserve(min(256, count - sent))
        pool.send([(slot, Segment(sent + n, f"138{sent + n:08d}", TEXT)) for n, slot in enumerate(slots)])
        sent += len(slots)
    while sink.reports < count:
        await asyncio.sleep(0.005)
    spent = time.perf_counter() - began
    await pool.stop(1)
    return count / spent


def yardstick(count) -> float:
    carrier = CarrierProcess()
    try:
        return asyncio.run(without_database(carrier.port, count))
    finally:
        carrier.stop()


# Through the dispatcher ----------------------------------------------------------------------------------------------


def stage(ports, **facts) -> list[Gateway]:
    """The accounts at these carriers; earlier ones are switched off."""
    AllowedAddress.objects.get_or_create(network="127.0.0.0/8")
    for old in Gateway.objects.active():
        old.active = False
        old.save()
    for route in Route.objects.filter(active=True):
        route.active = False
        route.save()
    made = []
    for carrier, port in zip(("mobile", "unicom", "telecom"), ports, strict=False):
        made.append(
            Gateway.objects.create(
                name=f"bench {uuid.uuid4().hex[:8]}", protocol="cmpp2", carrier=carrier, host="127.0.0.1", port=port,
                login=LOGIN, secret=secrets.store(SECRET), connections=CONNECTIONS, window=WINDOW,
                **facts,
            )
        )  # fmt: skip
        Route.objects.create(carrier=carrier, position=1, gateway=made[-1])
    return made


def queue(count, carrier="mobile", first=0) -> Campaign:
    """A running campaign of so many queued messages."""
    station = Institution.objects.order_by("-path").first()
    campaign = Campaign.objects.create(
        institution=station, name=f"bench {uuid.uuid4().hex[:6]}", purpose=Purpose.EDUCATION, body=TEXT,
        state="running", quiet_override="bench", recipients=count, segments=count, built_at=timezone.now(),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_message (uuid, campaign_id, institution_id, phone, carrier, text, segments, state,"
            " reason, state_at, made_at, due_at, claimed_by, on_wire, tries, refused_by, retried)"
            " SELECT gen_random_uuid(), %s, i.id, '138' || lpad((%s + n)::text, 8, '0'), %s, %s, 1, 'queued', '',"
            " now(), now(), now(), '', false, 0, '{}', false FROM generate_series(1, %s) AS n"
            " JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r, count(*) OVER () AS all_of"
            "  FROM clinic_institution) AS i ON i.r = n %% i.all_of",
            [campaign.pk, first, carrier, TEXT, count],
        )
    return campaign


def states(campaign) -> Counter:
    sums = Tally.objects.filter(campaign=campaign).values_list("state").annotate(n=Sum("messages"))
    return Counter({state: n for state, n in sums if n})


class DispatcherProcess:
    """``manage.py dispatch_sms`` as it runs in production, as the app's role."""

    def __init__(self, *prefix):
        app, _owner = postgres.urls()
        environment = {
            **os.environ, "DATABASE_URL": app, "SHEYI_DB_ROLE": "app", "DJANGO_SETTINGS_MODULE": "clinic.settings",
            "SHEYI_LOG_LEVEL": "WARNING",
        }  # fmt: skip
        command = [*(prefix or [sys.executable, "manage.py", "dispatch_sms"])]
        self.process = subprocess.Popen(command, cwd=postgres.PROJECT, env=environment, stdout=sys.stderr)

    def wait_until_up(self, made):
        end = time.monotonic() + 30
        keys = [one.pk for one in made]
        while GatewayHealth.objects.filter(gateway__in=keys, up=CONNECTIONS).count() < len(keys):
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("The dispatcher does not get its connections up.")
            time.sleep(0.1)

    def megabytes(self) -> float:
        with open(f"/proc/{self.process.pid}/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines["VmHWM"].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        with open(f"/proc/{self.process.pid}/stat") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def wait_for(campaign, reached, patience=600) -> float:
    """Seconds until ``reached(states)``."""
    began = time.perf_counter()
    while not reached(states(campaign)):
        if time.perf_counter() - began > patience:
            sys.exit(f"Not done in time: {states(campaign)}")
        time.sleep(0.05)
    return time.perf_counter() - began


def end_to_end(count, *prefix):
    """(messages a second with receipts, the dispatcher's MB, its CPU ms a message, states)."""
    carrier = CarrierProcess()
    dispatcher = None
    try:
        made = stage([carrier.port])
        dispatcher = DispatcherProcess(*prefix)
        dispatcher.wait_until_up(made)
        warm = queue(2000)
        wait_for(warm, lambda found: found["delivered"] == 2000)
        before = dispatcher.cpu_seconds()
        campaign = queue(count, first=10_000)
        wait_for(campaign, lambda found: found["queued"] < count)
        spent = wait_for(campaign, lambda found: found["delivered"] == count)
        cpu = (dispatcher.cpu_seconds() - before) / count * 1000
        return count / spent, dispatcher.megabytes(), cpu, carrier.tell()
    finally:
        if dispatcher is not None:
            dispatcher.stop()
        carrier.stop()


def with_a_stalled_one(count, rounds=3) -> tuple[float, float]:
    """Messages a second through one account, while another has nothing to do and while that one stalls with full
    windows; medians of turns about."""
    carriers = [CarrierProcess(), CarrierProcess()]
    rates = {False: [], True: []}
    dispatcher = None
    try:
        made = stage([one.port for one in carriers])
        dispatcher = DispatcherProcess()
        dispatcher.wait_until_up(made)
        for turn in range(rounds):
            for stalled in (False, True):
                carriers[1].tell(black_hole=stalled)
                if stalled:
                    queue(5_000, "unicom", first=5_000_000 + 10_000 * turn)
                    time.sleep(2)
                campaign = queue(count, first=1_000_000 * (turn + 1))
                wait_for(campaign, lambda found: found["queued"] < count)
                spent = wait_for(campaign, lambda found: found["delivered"] == count)
                rates[stalled].append(count / spent)
                carriers[1].kick()
    finally:
        if dispatcher is not None:
            dispatcher.stop()
        for one in carriers:
            one.stop()
    return median(rates[False]), median(rates[True])
