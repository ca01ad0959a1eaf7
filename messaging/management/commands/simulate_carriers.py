"""``manage.py simulate_carriers`` runs the simulated carriers, or steers those that run.

::

    manage.py simulate_carriers                                    all of them, and their control page
    manage.py simulate_carriers --tell cmpp3 latency=0.2 refuse=0.1
    manage.py simulate_carriers --tell all reset
    manage.py simulate_carriers --tell cmpp3 down                  up, kick, clear
    manage.py simulate_carriers --tell sgip mo=13012345678:TD
    manage.py simulate_carriers --tell smgp                        only how they are
"""

import asyncio
import json
import signal
import urllib.error
import urllib.request
from ipaddress import ip_address
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from messaging.simulators import accounts
from messaging.simulators.company import ALL, Company, words_of
from messaging.simulators.control import TOKEN, Control

SECONDS = 10
LINGER = 3  # seconds that whoever is logged in has to leave


class Command(BaseCommand):
    help = "Carriers for tests and the demo, on this machine only: real servers for CMPP, SGIP, SMGP, SMPP and HTTP."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--ports", metavar="JSON", help='{"cmpp3": 7890, "control": 8792, …}; 0: a free one'
        )
        parser.add_argument(
            "--ledger", metavar="FOLDER", help="write what each carrier took there, as JSON lines"
        )
        parser.add_argument("--host", default=accounts.LOOPBACK, help="an address of this machine's loopback")
        parser.add_argument("--tell", metavar="NAME", help="tell a running carrier (or all) what follows")
        parser.add_argument(
            "--entries", type=int, default=0, metavar="N", help="with --tell: its last N messages"
        )
        parser.add_argument(
            "words", nargs="*", help="with --tell: faults as name=value, up, down, kick, reset, clear"
        )

    def handle(self, *, ports, ledger, host, tell, entries, words, **options):
        if tell:
            return self.steer(tell, words_of(words), entries)
        if words:
            raise CommandError("Say whom to tell: --tell NAME.")
        if not is_loopback(host):
            raise CommandError(
                "The carriers listen on this machine only: --host is an address of its loopback."
            )
        folder = Path(ledger) if ledger else None
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        try:
            return asyncio.run(self.run(ports_of(ports), folder, host))
        except OSError as error:
            raise CommandError(f"A port cannot be used: {error.strerror or error}.") from error

    @property
    def note(self):
        """Where the running ones leave their control page's address, for other shells."""
        return settings.VAR / "carriers.address"

    async def run(self, ports, folder, host):
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        company = Company(ports, folder, host)
        await company.start()
        control = Control(company, ports.get("control", 0), host)
        try:
            await control.start()
            settings.VAR.mkdir(parents=True, exist_ok=True)
            self.note.write_text(control.address)
            for carrier in company.carriers.values():
                self.stdout.write(f"{carrier.name}: {carrier.host}:{carrier.port}")
            self.stdout.write(f"Simulated carriers: {control.address}")
            self.stdout.flush()
            await stop.wait()
            await company.empty(LINGER)
        finally:
            await control.stop()
            await company.stop()

    def steer(self, name, words, entries):
        address = self.note.read_text().strip() if self.note.exists() else ""
        if not address:
            raise CommandError("No carriers are running here.")
        body = json.dumps({"carrier": name, "words": words, "ledger": entries}).encode()
        headers = {"Content-Type": "application/json", TOKEN: accounts.control_token()}
        request = urllib.request.Request(f"{address}/tell", body, headers)  # noqa: S310 - loopback, our own note
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise CommandError(f"{address}: {error.read(500).decode('utf-8', 'replace')}") from error
        except (OSError, ValueError) as error:
            raise CommandError(f"No carriers answer at {address}.") from error
        for status in said["carriers"]:
            if name in (ALL, status["name"]):
                self.stdout.write(json.dumps(status, ensure_ascii=False))
        for entry in said["entries"]:
            self.stdout.write(json.dumps(entry, ensure_ascii=False))


def ports_of(given):
    """{name: port} of the option, else of the settings."""
    if not given:
        return {name: port for name, port in settings.SMS_SIMULATORS.items() if isinstance(port, int)}
    try:
        ports = json.loads(given)
        known = {*accounts.DEMOS, "control"}
        if isinstance(ports, dict) and ports.keys() <= known and all(map(is_port, ports.values())):
            return ports
    except ValueError:
        pass
    raise CommandError("--ports is JSON: names of carriers, or control, and port numbers.")


def is_port(value):
    return type(value) is int and 0 <= value < 65536


def is_loopback(host):
    try:
        return ip_address(host).version == 4 and ip_address(host).is_loopback
    except ValueError:
        return False
