"""Rows for tests: real identity numbers' form, invented people."""

import itertools
from datetime import date
from functools import cache

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from stdnum.cn import ric

from clinic.codes import Sex
from clinic.models import Institution, Resident, User
from emr.codes import EncounterStatus
from emr.models import Encounter, Note

PASSWORD = "Kx9-sheyi-test"  # noqa: S105
_serial = itertools.count(1)


def institution(kind, code, name, parent=None):
    return Institution.objects.create(
        kind=kind, code=code, name=name, short_name=name.replace("社区卫生服务", ""), parent=parent
    )


@cache
def hashed(password, hasher):
    """The real hash, once for all who share the password: it is slow on purpose, and people are in every test.

    One for each `hasher` (a dotted path), since a test may name another in its settings.
    """
    return make_password(password)


def user(role, where, name="测试", username=None, password=PASSWORD, **fields):
    made = User(
        username=username or f"{role}{next(_serial)}",
        name=name,
        role=role,
        institution=where,
        title="主治医师",
        licence="110101000001234",
        must_change_password=False,
        password_changed_at=timezone.now(),
        **fields,
    )
    made.password = hashed(password, settings.PASSWORD_HASHERS[0])
    made.save()
    return made


def id_number(born=date(1958, 3, 7), sex=Sex.FEMALE):
    """A valid identity number nobody got from us before."""
    order = next(_serial) % 499 * 2 + (1 if sex == Sex.MALE else 2)
    body = f"110101{born:%Y%m%d}{order:03d}"
    return body + ric.calc_check_digit(body + "0")


def resident(home, name="张秀英", born=date(1958, 3, 7), sex=Sex.FEMALE, **fields):
    fields.setdefault("id_number", id_number(born, sex))
    fields.setdefault("phone", f"138{next(_serial):08d}")
    return Resident.objects.create(home=home, name=name, birth_date=born, sex=sex, **fields)


def encounter(whom, doctor, *, status=EncounterStatus.IN_PROGRESS, **note):
    """A begun visit with its note, as emr.actions.start leaves it."""
    now = timezone.now()
    made = Encounter.objects.create(
        resident=whom,
        institution=doctor.institution,
        doctor=doctor,
        status=status,
        arrived_at=now,
        started_at=now,
    )
    Note.objects.create(encounter=made, author=doctor, **note)
    return made
