"""The audit trail's page: whose acts, filters, export, and that nobody writes there."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from clinic import audit
from clinic.codes import Act, Role
from clinic.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db

TRAIL = "/admin/clinic/auditentry/"


@pytest.fixture
def desk(client, auditor):
    client.force_login(auditor)
    return client


@pytest.fixture
def acts(doctor, stranger, resident, other_station):
    """Three acts: at home, of a foreigner on one's resident, of a foreigner at the own place."""
    there = factories.resident(other_station, name="别站居民")
    audit.record(Act.VIEW, by=doctor, resident=resident)
    audit.record(Act.PRINT, by=stranger, resident=resident, reason="会诊")
    audit.record(Act.SIGN, by=stranger, resident=there)


def rows(client, **query):
    html = client.get(TRAIL, query).content.decode()
    return html.count("field-when")


def test_the_district_sees_all(desk, acts):
    assert rows(desk) == 3


def test_a_centre_sees_its_own_and_what_others_did_to_its_residents(client, acts, manager):
    client.force_login(manager)
    assert rows(client) == 2


def test_a_centre_without_part_in_it_sees_nothing(client, acts, district):
    elsewhere = factories.institution("centre", "C09", "另一中心", district)
    client.force_login(factories.user(Role.MANAGER, elsewhere))
    assert rows(client) == 0


FILTERS = [
    ({"act__exact": "sign"}, 1), ({"who": "王淑珍"}, 1), ({"who": "nobody"}, 0), ({"institution": "S0201"}, 2),
    ({"resident": "张秀英"}, 2), ({"q": "会诊"}, 1), ({"from": "2999-01-01"}, 0), ({"to": "2000-01-01"}, 0),
    ({"from": "x"}, 0), ({"institution": "x"}, 0), ({"who": "'; --"}, 0), ({"from": "2026-13-45"}, 0),
]  # fmt: skip


@pytest.mark.parametrize(("query", "found"), FILTERS, ids=str)
def test_filters(desk, acts, query, found):
    assert rows(desk, **query) == found


def test_days_are_the_clinic_s_own(desk, acts):
    today = timezone.localdate()
    assert rows(desk, **{"from": today.isoformat(), "to": today.isoformat()}) == 3
    assert rows(desk, to=(today - timedelta(days=1)).isoformat()) == 0


def test_filters_keep_each_other(desk, acts):
    html = desk.get(TRAIL, {"act__exact": "sign", "q": "x"}).content.decode()
    assert '<input type="hidden" name="act__exact" value="sign">' in html


def test_export_holds_the_filtered_rows_and_no_formula(desk, doctor, resident):
    audit.record(Act.VIEW, by=doctor, resident=resident, reason="=HYPERLINK(1)")
    audit.record(Act.SIGN, by=doctor, resident=resident)
    content = desk.get(f"{TRAIL}export/xlsx/", {"act__exact": "view"}).content
    lines = list(load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(min_row=2, values_only=True))
    assert len(lines) == 1
    assert "'=HYPERLINK(1)" in lines[0]


def test_exporting_is_audited_itself(desk, acts):
    desk.get(f"{TRAIL}export/csv/")
    assert AuditEntry.objects.get(act=Act.EXPORT).detail == {"what": "audit", "rows": 3}


def test_a_manager_reads_and_does_not_export(client, acts, manager):
    client.force_login(manager)
    assert client.get(f"{TRAIL}export/csv/").status_code == 403


def test_a_span_too_wide_is_told(desk, acts, monkeypatch):
    monkeypatch.setattr("clinic.admin.audit.EXPORTED", 2)
    answer = desk.get(f"{TRAIL}export/csv/", follow=True)
    assert "2" in answer.content.decode()
    assert not AuditEntry.objects.filter(act=Act.EXPORT).exists()


@pytest.mark.parametrize("address", ["add/", "1/change/", "1/history/", "1/delete/"])
def test_nobody_writes_there(desk, acts, address):
    assert desk.post(f"{TRAIL}{address}").status_code in (403, 404)


def test_other_forms_of_export_are_404(desk):
    assert desk.get(f"{TRAIL}export/exe/").status_code == 404


def test_the_last_day_there_is_can_be_asked_for(client, auditor):
    client.force_login(auditor)
    assert client.get("/admin/clinic/auditentry/", {"to": "9999-12-31"}).status_code == 200
