"""Reconciliation finds what is missing, twice there, unknown at the interface, or filed for nothing."""

import pytest
from django.utils import timezone

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.actions import filings, referrals
from emr.codes import FilingFinding
from emr.insurance import reconciliation
from emr.insurance.reconciliation import Kind
from emr.models import InsuranceFiling
from tests.emr.filings import pensioner, referral_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_once(settings):
    """A referral counts as missing from the first moment: the database takes no older ones."""
    settings.INSURANCE_MISSING_DAYS = 0


def opened(doctor, number=""):
    filing = filings.open_filing(referral=referral_of(doctor), by=doctor)
    if number:
        filing = filings.confirm_by_hand(filing=filing, number=number, by=doctor, despite=True)
    return filing.referral


def found(user, kind):
    return reconciliation.page(user, kind, timezone.now(), 50)[0]


def test_missing_is_what_has_no_number_and_still_needs_one(doctor):
    waiting, never_opened = opened(doctor), referral_of(doctor)
    opened(doctor, "YB20260001")
    referral_of(doctor, group="")
    ended = referral_of(doctor)
    referrals.terminate(referral=ended, by=doctor, reason="好转")
    assert found(doctor, Kind.MISSING) == [waiting, never_opened]


def test_missing_only_after_the_days_that_are_set(doctor, settings):
    settings.INSURANCE_MISSING_DAYS = 3
    opened(doctor)
    assert found(doctor, Kind.MISSING) == []


def test_a_number_on_two_referrals_shows_both_also_of_two_institutions(doctor, stranger, manager):
    mine, theirs = opened(doctor, "YB20260001"), opened(stranger, "YB20260001")
    opened(doctor, "YB20260002")
    assert found(doctor, Kind.TWICE) == [mine]
    assert found(stranger, Kind.TWICE) == [theirs]
    assert found(manager, Kind.TWICE) == [mine]


def test_unknown_is_what_the_interface_says_otherwise(doctor):
    row = opened(doctor, "YB20260001")
    filing = InsuranceFiling.objects.get(referral=row)
    filing.finding = FilingFinding.UNKNOWN
    filing.save()
    assert found(doctor, Kind.UNKNOWN) == [row]


def test_ended_and_still_filed(doctor):
    row, fine = opened(doctor, "YB20260001"), opened(doctor, "YB20260002")
    referrals.terminate(referral=row, by=doctor, reason="好转")
    assert found(doctor, Kind.CANCELLED) == [row]
    filings.confirm_cancelled(filing=row.filing, by=doctor)
    assert found(doctor, Kind.CANCELLED) == []
    assert InsuranceFiling.objects.get(referral=fine).state == "confirmed"


def test_counts_are_by_institution_and_only_of_ones_own(doctor, stranger, manager, clerk):
    opened(doctor)
    opened(stranger)
    assert reconciliation.counts(clerk, timezone.now()) == []
    for user in (doctor, manager):
        (line,) = reconciliation.counts(user, timezone.now())
        assert (line["institution"], line["missing"], line["twice"]) == (doctor.institution.short_name, 1, 0)


def test_the_page_is_paged_costs_few_queries_and_stands_in_the_trail(
    client, doctor, django_assert_max_num_queries
):
    rows = [opened(doctor) for _n in range(55)]
    client.force_login(doctor)
    with django_assert_max_num_queries(12):
        page = client.get("/insurance/reconciliation").content.decode()
    assert f"after={rows[49].uuid}" in page
    rest = client.get(f"/insurance/reconciliation?kind=missing&after={rows[49].uuid}").content.decode()
    assert [row.number in rest for row in (rows[49], rows[50], rows[54])] == [False, True, True]
    assert AuditEntry.objects.filter(act=Act.VIEW, detail__page="reconciliation").count() == 2


def test_numbers_that_name_a_person_are_masked(client, doctor):
    person = pensioner(doctor.institution)
    filings.open_filing(referral=referral_of(doctor, person), by=doctor)
    client.force_login(doctor)
    page = client.get("/insurance/reconciliation").content.decode()
    assert person.name in page
    assert person.id_number not in page


@pytest.mark.parametrize("end", ["?kind=x", "?after=x", "?after=00000000-0000-0000-0000-000000000000"])
def test_an_odd_address_is_not_found(client, doctor, end):
    client.force_login(doctor)
    assert client.get(f"/insurance/reconciliation{end}").status_code == 404


def test_who_does_not_file_does_not_reconcile(client, clerk):
    client.force_login(clerk)
    assert client.get("/insurance/reconciliation").status_code == 403


@pytest.mark.parametrize("kind", Kind.values)
def test_every_kind_opens_for_the_manager(client, manager, doctor, kind):
    opened(doctor)
    client.force_login(manager)
    assert client.get(f"/insurance/reconciliation?kind={kind}").status_code == 200
