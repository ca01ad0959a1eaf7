"""What tests of filings share: a sandbox over real sockets, and referrals of insured pensioners."""

import itertools
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from clinic.codes import Insurance
from emr import insurance
from emr.actions import filing_delivery, filings
from emr.codes import FilingState, InsuranceWay, OldOrYoung
from emr.insurance.service import Service
from emr.models import InsuranceFiling, Practice, Referral
from tests import factories

SECRET = "test-secret"
TO_DO, SENDING, CONFIRMED = FilingState.TO_DO, FilingState.SENDING, FilingState.CONFIRMED
CANCELLING, TO_CANCEL, CANCELLED = FilingState.CANCELLING, FilingState.TO_CANCEL, FilingState.CANCELLED
_serial = itertools.count(1)


@contextmanager
def running_sandbox():
    """The service on a free port."""
    service = Service(("127.0.0.1", 0), SECRET)
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.shutdown()
        service.server_close()
        thread.join()


def pensioner(home, **fields):
    given = {"insurance": Insurance.RESIDENT_SENIOR, "insurance_number": f"1100{next(_serial):08d}", **fields}
    return factories.resident(home, **given)


def referral_of(doctor, resident=None, encounter=None, **fields):
    """A sent referral of an insured pensioner, as room referrals leaves it."""
    resident = resident or pensioner(doctor.institution)
    now = timezone.now()
    given = {
        "number": f"ZZ-T-{next(_serial):06d}", "key": uuid.uuid4(), "resident": resident, "encounter": encounter,
        "group": OldOrYoung.OLD, "from_institution": doctor.institution, "doctor": doctor,
        "doctor_name": doctor.name, "to_name": "市第一医院", "impression": "高血压3级", "present_illness": "头晕",
        "person": {"name": resident.name, "sex": resident.sex, "birth_date": resident.birth_date.isoformat(),
                   "record_number": "", "address": "", "phone": resident.phone},
        "sent_at": now, "due_on": timezone.localdate(now) + timedelta(days=14), **fields,
    }  # fmt: skip
    return Referral.objects.create(**given)


def choose(institution, way=InsuranceWay.SANDBOX, **fields):
    return Practice.objects.create(institution=institution, insurance=way, **fields)


def opened(doctor, **fields):
    return filings.open_filing(referral=referral_of(doctor, **fields), by=doctor)


def mood(service, name):
    service.mood = type(service.mood)(name)


def run(filing, at=None):
    """The job's work."""
    return filing_delivery.deliver(filing=filing, now=at or timezone.now())


def withdraw(filing, at=None):
    return filing_delivery.withdraw(filing=filing, now=at or timezone.now())


def begin(filing, at):
    """What a worker does before it asks; the claim that it will send."""
    return insurance.Claim.of(filing_delivery._lease(filing, at, SENDING).referral)


def fresh(filing):
    return InsuranceFiling.objects.get(pk=filing.pk)
