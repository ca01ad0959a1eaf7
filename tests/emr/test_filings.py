"""Filings by hand: opened, the number typed back, taken back; and what the database holds."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from clinic.codes import Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr import insurance
from emr.actions import filing_delivery, filings
from emr.codes import FilingFault, FilingFinding, FilingState, InsuranceWay, ReferralState
from emr.models import InsuranceFiling, Referral
from tests import factories
from tests.emr.filings import (
    CANCELLED,
    CANCELLING,
    CONFIRMED,
    SENDING,
    TO_CANCEL,
    TO_DO,
    begin,
    fresh,
    mood,
    opened,
    referral_of,
    run,
    withdraw,
)

pytestmark = pytest.mark.django_db


# Opening ----------------------------------------------------------------------------------------------


def test_without_an_interface_it_waits_for_a_person(by_hand):
    assert (by_hand.way, by_hand.state, by_hand.interface) == (InsuranceWay.BY_HAND, TO_DO, "")
    assert AuditEntry.objects.get(object_id=str(by_hand.uuid)).detail["filing"] == "opened"


def test_who_is_neither_old_nor_young_is_not_filed(doctor):
    assert filings.open_filing(referral=referral_of(doctor, group=""), by=doctor) is None
    assert not InsuranceFiling.objects.exists()


def test_opening_twice_is_opening_once(doctor, by_hand):
    assert filings.open_filing(referral=by_hand.referral, by=doctor) == by_hand
    assert InsuranceFiling.objects.count() == 1


def test_with_an_interface_a_job_is_enqueued_after_the_commit(
    doctor, chosen, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks() as callbacks:
        filing = opened(doctor)
        assert (filing.way, filing.state) == (InsuranceWay.SANDBOX, SENDING)
        assert not DBTaskResult.objects.exists()
    callbacks[0]()
    assert DBTaskResult.objects.get().args_kwargs["args"] == [str(filing.uuid)]


def test_opening_that_fails_neither_raises_nor_spoils_the_referral(doctor, monkeypatch):
    def break_down(*args, **kwargs):
        raise DatabaseError("no")

    with monkeypatch.context() as patch, transaction.atomic():
        referral = referral_of(doctor)
        patch.setattr(insurance, "for_institution", break_down)
        assert filings.open_filing(referral=referral, by=doctor) is None
    assert filings.open_missing(timezone.now()) == 1
    assert referral.filing.state == TO_DO


def test_a_cancellation_that_failed_is_made_up_for(doctor, by_hand):
    Referral.objects.filter(pk=by_hand.referral_id).update(
        state=ReferralState.TERMINATED, closed_at=timezone.now(), closed_by=doctor, reason="不去了"
    )
    assert filings.cancel_missing(timezone.now()) == 1
    assert fresh(by_hand).state == FilingState.CANCELLED
    assert filings.cancel_missing(timezone.now()) == 0


# The number typed back --------------------------------------------------------------------------------


def test_the_number_typed_back_confirms_it(doctor, nurse, by_hand):
    filing = filings.confirm_by_hand(filing=by_hand, number=" ＹＢ2026 0001 ", by=nurse)
    assert (filing.state, filing.external_number, filing.filed_by) == (CONFIRMED, "YB20260001", nurse)
    assert filing.history.count() == 2


def test_the_same_number_again_changes_nothing(doctor, by_hand):
    for _n in range(2):
        filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor)
    assert fresh(by_hand).history.count() == 2


@pytest.mark.parametrize(
    "number", ["", "  ", "123", "长" * 5, "1" * 41, "A<b>1", "12\x0034", "𠮷𠮷𠮷𠮷", "12 34;"]
)
def test_what_is_no_number_is_refused(doctor, by_hand, number):
    with pytest.raises(Refused) as caught:
        filings.confirm_by_hand(filing=by_hand, number=number, by=doctor)
    assert caught.value.code == "number"
    assert fresh(by_hand).state == TO_DO


def test_the_residents_own_number_is_refused(doctor, by_hand):
    resident = by_hand.referral.resident
    for number in (resident.id_number, resident.insurance_number, resident.id_number.lower()):
        with pytest.raises(Refused):
            filings.confirm_by_hand(filing=by_hand, number=number, by=doctor)


def test_a_number_that_another_referral_has_is_asked_about(doctor, by_hand):
    filings.confirm_by_hand(filing=opened(doctor), number="YB20260001", by=doctor)
    with pytest.raises(Refused) as caught:
        filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor)
    assert caught.value.code == "duplicate"
    kept = filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor, despite=True)
    assert kept.state == CONFIRMED


def test_a_number_is_corrected_by_who_saw_it(doctor, by_hand):
    filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor)
    with pytest.raises(Conflict) as caught:
        filings.confirm_by_hand(filing=by_hand, number="YB20260002", by=doctor)
    assert "YB20260001" in caught.value.message
    kept = filings.confirm_by_hand(filing=by_hand, number="YB20260002", by=doctor, replacing="YB20260001")
    assert kept.external_number == "YB20260002"


def test_an_interfaces_number_is_not_typed_over(doctor, chosen):
    filing = run(opened(doctor))
    with pytest.raises(Conflict):
        filings.confirm_by_hand(
            filing=filing, number="YB20260001", by=doctor, replacing=filing.external_number
        )


def test_while_it_is_being_sent_nothing_is_typed(doctor, chosen):
    with pytest.raises(Conflict) as caught:
        filings.confirm_by_hand(filing=opened(doctor), number="YB20260001", by=doctor)
    assert caught.value.code == "sending"


def test_a_stranger_files_nothing(stranger, by_hand, centre, clerk):
    for person in (stranger, clerk, factories.user(Role.DISTRICT, centre.parent)):
        with pytest.raises(Forbidden):
            filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=person)
    assert fresh(by_hand).state == TO_DO


def test_booked_meanwhile_under_another_number_is_told(doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    filings.confirm_by_hand(filing=filing, number="YB20260001", by=doctor)
    mood(sandbox, "well")
    assert filing_delivery.compare_all(timezone.now()) == 1
    assert fresh(filing).finding == FilingFinding.DIFFERS
    assert fresh(filing).external_number == "YB20260001"


# Taking it back ---------------------------------------------------------------------------------------


def test_what_nobody_filed_is_simply_cancelled(doctor, by_hand):
    assert filings.cancel_filing(referral=by_hand.referral, by=doctor).state == CANCELLED
    with pytest.raises(Conflict):
        filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor)


def test_a_typed_number_is_taken_back_by_a_person(doctor, by_hand):
    filings.confirm_by_hand(filing=by_hand, number="YB20260001", by=doctor)
    assert filings.cancel_filing(referral=by_hand.referral, by=doctor).state == TO_CANCEL
    assert InsuranceFiling.objects.visible_to(doctor).for_people().get() == by_hand
    assert filings.confirm_cancelled(filing=by_hand, by=doctor).state == CANCELLED
    assert filings.confirm_cancelled(filing=by_hand, by=doctor).external_number == "YB20260001"


def test_the_interfaces_booking_is_taken_back_there(doctor, chosen, sandbox):
    filing = run(opened(doctor))
    assert filings.cancel_filing(referral=filing.referral, by=doctor).state == CANCELLING
    assert withdraw(filing).state == CANCELLED
    assert sandbox.ledger.rows[filing.external_number]["standing"] == "cancelled"


def test_what_may_have_been_booked_is_asked_after_and_taken_back(doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    mood(sandbox, "well")
    filings.cancel_filing(referral=filing.referral, by=doctor)
    assert withdraw(filing).state == CANCELLED
    assert [row["standing"] for row in sandbox.ledger.rows.values()] == ["cancelled"]


def test_what_was_not_sent_yet_is_not_sent_any_more(doctor, chosen, sandbox):
    filing = opened(doctor)
    assert filings.cancel_filing(referral=filing.referral, by=doctor).state == CANCELLED
    assert run(filing).state == CANCELLED
    assert not sandbox.asked


def test_an_interface_that_does_not_cancel_leaves_it_to_a_person(doctor, chosen, sandbox):
    filing = run(opened(doctor))
    filings.cancel_filing(referral=filing.referral, by=doctor)
    mood(sandbox, "down")
    assert (withdraw(filing).state, fresh(filing).fault) == (TO_CANCEL, FilingFault.UNREACHABLE)
    mood(sandbox, "well")
    filings.retry_with_interface(filing=filing, by=doctor)
    assert withdraw(filing).state == CANCELLED


def test_cancelled_while_the_answer_was_on_its_way_it_is_taken_back_after_all(doctor, chosen, sandbox):
    filing, now = opened(doctor), timezone.now()
    claim = begin(filing, now)
    filings.cancel_filing(referral=filing.referral, by=doctor)
    assert withdraw(filing).state == CANCELLED  # nothing had arrived there yet
    filing_delivery._submitted(filing, insurance.of_way(filing.way).submit(claim), now)
    assert fresh(filing).state == CANCELLING
    filing_delivery.tend(now + timedelta(minutes=2))
    assert fresh(filing).state == CANCELLED
    assert [row["standing"] for row in sandbox.ledger.rows.values()] == ["cancelled"]


def test_cancelling_never_raises(doctor, by_hand, monkeypatch):
    monkeypatch.setattr(filings, "_cancel", lambda *args: 1 / 0)
    assert filings.cancel_filing(referral=by_hand.referral, by=doctor) is None
    assert filings.cancel_filing(referral=referral_of(doctor), by=None) is None


# The database -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"state": CONFIRMED}, {"state": TO_CANCEL}, {"made_at": timezone.now() - timedelta(days=3)},
        {"institution_id": None},
    ],
)  # fmt: skip
def test_the_database_refuses_what_cannot_be(by_hand, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        InsuranceFiling.objects.filter(pk=by_hand.pk).update(**change)


def test_the_database_keeps_filings(by_hand):
    with pytest.raises(DatabaseError), transaction.atomic():
        InsuranceFiling.objects.filter(pk=by_hand.pk).delete()


def test_a_filing_belongs_to_the_sender(doctor, other_station):
    with pytest.raises(IntegrityError), transaction.atomic():
        InsuranceFiling.objects.create(
            referral=referral_of(doctor), institution=other_station, way=InsuranceWay.BY_HAND
        )


def test_nothing_is_missing_from_the_migrations():
    call_command("makemigrations", "emr", check=True, dry_run=True, verbosity=0)
