"""``manage.py insurance_sandbox`` runs our pretended city insurance, or steers the one that runs."""

import signal
import threading
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from emr.insurance import InsuranceFault
from emr.insurance.sandbox import Sandbox
from emr.insurance.service import Mood, Service


class Command(BaseCommand):
    help = "City insurance for tests and the demo, on this machine only: no patient of a real clinic belongs there."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument(
            "--control", choices=[mood.value for mood in Mood], help="Tell the running one how to be."
        )

    def handle(self, *, control=None, **options):
        if control:
            return self.steer(control)
        return self.run()

    @property
    def note(self):
        """Where the running one leaves its address, for whoever steers it from another shell."""
        return settings.VAR / "insurance_sandbox.address"

    def steer(self, mood):
        address = self.note.read_text().strip() if self.note.exists() else settings.INSURANCE_SANDBOX_URL
        try:
            Sandbox(address=address).control(mood)
        except InsuranceFault as fault:
            raise CommandError(f"The sandbox at {address} does not listen: {fault.fault.value}.") from fault
        self.stdout.write(f"{address}: {mood}")

    def run(self):
        parts = urlsplit(settings.INSURANCE_SANDBOX_URL)
        if not is_loopback(parts.hostname):
            raise CommandError(
                "The sandbox listens on this machine only: set SHEYI_INSURANCE_SANDBOX_URL to 127.0.0.1."
            )
        settings.VAR.mkdir(parents=True, exist_ok=True)
        try:
            service = Service(
                (parts.hostname, parts.port or 80),
                settings.INSURANCE_SECRET,
                settings.VAR / "insurance_sandbox.jsonl",
            )
        except OSError as error:
            raise CommandError(f"{settings.INSURANCE_SANDBOX_URL}: {error.strerror}.") from error
        self.note.write_text(service.url)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: threading.Thread(target=service.shutdown).start())
        self.stdout.write(f"Insurance sandbox: {service.url}")
        with service:
            service.serve_forever()


def is_loopback(host):
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
