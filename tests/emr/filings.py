"""What tests of filings share: a sandbox over real sockets, and referrals of insured pensioners."""

import itertools
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from clinic.codes import Insurance
from emr.codes import InsuranceWay, OldOrYoung
from emr.models import Practice, Referral
from emr.sandbox_service import Service
from tests import factories

SECRET = "test-secret"
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
