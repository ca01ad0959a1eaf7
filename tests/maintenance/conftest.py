"""A level with office hours, and people around a ticket."""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.codes import Role
from maintenance.actions import tickets
from maintenance.codes import Module, Severity, TicketKind
from maintenance.models import Promise, ServiceLevel, WorkCalendar, WorkSpan
from tests import factories

ZONE = ZoneInfo("Asia/Shanghai")
# A Monday morning.
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE)


def at(text):
    """ "11-23 10:30" of that year."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


@pytest.fixture
def office(db):
    made = WorkCalendar.objects.create(name="供应商工作时间")
    for weekday in range(5):
        for begins, ends in ((510, 720), (810, 1050)):
            WorkSpan.objects.create(calendar=made, weekday=weekday, begins=begins, ends=ends)
    return made


@pytest.fixture
def level(office):
    made = ServiceLevel.objects.create(name="合同服务等级", usual=True)
    for severity, response, resolve, calendar in (
        (Severity.CRITICAL, 15, 240, None), (Severity.SERIOUS, 30, 480, office), (Severity.ORDINARY, 120, 960, office),
        (Severity.SLIGHT, 480, 4800, office),
    ):  # fmt: skip
        Promise.objects.create(
            level=made, severity=severity, response=response, resolve=resolve, calendar=calendar
        )
    return made


@pytest.fixture
def people(station, district):
    return {
        "doctor": factories.user(Role.DOCTOR, station), "it": factories.user(Role.DISTRICT_IT, district),
        "vendor": factories.user(Role.VENDOR, district),
    }  # fmt: skip


@pytest.fixture
def fault(level, people):
    """A function: a fault that the doctor reported on Monday at nine."""

    def make(now=MONDAY, **given):
        given = {
            "kind": TicketKind.FAULT, "module": Module.CHART, "title": "打印机不出纸", "severity": Severity.SERIOUS,
            "by": people["doctor"], "key": uuid.uuid4(), **given,
        }  # fmt: skip
        return tickets.report(now=now, **given)

    return make
