"""Filings through the interface: sent, asked after, compared, and what happens when it fails or a worker dies."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.errors import Conflict, Refused
from emr import insurance
from emr import jobs as recurring
from emr.actions import filing_delivery, filings
from emr.actions.filing_delivery import SETTLED
from emr.codes import FilingFault, FilingFinding, InsuranceWay
from emr.models import InsuranceFiling
from tests.emr.filings import (
    CANCELLED,
    CONFIRMED,
    SENDING,
    TO_DO,
    begin,
    fresh,
    mood,
    opened,
    run,
    withdraw,
)

pytestmark = pytest.mark.django_db


# Through the interface --------------------------------------------------------------------------------


def test_delivered_it_is_confirmed_with_the_interfaces_number(doctor, chosen, sandbox):
    filing = run(opened(doctor))
    assert (filing.state, filing.way, filing.fault) == (CONFIRMED, InsuranceWay.SANDBOX, "")
    assert filing.external_number == filing.interface_number == next(iter(sandbox.ledger.rows))


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("down", FilingFault.UNREACHABLE), ("slow", FilingFault.TOO_SLOW), ("garbage", FilingFault.GARBLED),
        ("lose", FilingFault.UNREACHABLE), ("refuse", FilingFault.REFUSED),
    ],
)  # fmt: skip
def test_a_fault_falls_back_to_by_hand_and_says_why(doctor, chosen, sandbox, how, fault):
    mood(sandbox, how)
    filing = run(opened(doctor))
    assert (filing.state, filing.way, filing.fault) == (TO_DO, InsuranceWay.BY_HAND, fault)
    assert filing.fell_back
    assert filing.is_uncertain is (how != "refuse")
    assert filing.answer == ("参保状态异常，请到医保窗口核实" if how == "refuse" else "")


@pytest.mark.parametrize("how", ["lose", "slow", "garbage"])
def test_booked_after_all_is_found_out_before_anybody_types(doctor, chosen, sandbox, how):
    mood(sandbox, how)
    filing = run(opened(doctor))
    mood(sandbox, "well")
    assert filing_delivery.tend(timezone.now()) == 1
    filing = fresh(filing)
    assert (filing.state, filing.way) == (CONFIRMED, InsuranceWay.SANDBOX)
    assert [filing.external_number] == list(sandbox.ledger.rows)


def test_an_interface_that_does_not_know_it_settles_the_doubt_in_time(doctor, chosen, sandbox):
    mood(sandbox, "down")
    filing = run(opened(doctor))
    mood(sandbox, "well")
    filing_delivery.tend(timezone.now())
    assert fresh(filing).is_uncertain
    filing_delivery.tend(timezone.now() + SETTLED)
    assert (fresh(filing).state, fresh(filing).settled) == (TO_DO, True)


def test_where_nobody_listens_nothing_was_booked(doctor, chosen, settings):
    settings.INSURANCE_SANDBOX_URL = "http://127.0.0.1:1"
    filing = run(opened(doctor))
    assert (filing.state, filing.fault, filing.is_uncertain) == (TO_DO, FilingFault.UNREACHABLE, False)
    assert filings.cancel_filing(referral=filing.referral, by=doctor).state == CANCELLED


def test_sent_again_in_vain_the_doubt_stays(doctor, chosen, sandbox, settings):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    filings.retry_with_interface(filing=filing, by=doctor)
    settings.INSURANCE_SANDBOX_URL = "http://127.0.0.1:1"
    assert run(filing).is_uncertain


def test_ended_before_it_is_sent_again_what_was_booked_is_taken_back(doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    mood(sandbox, "well")
    filings.retry_with_interface(filing=filing, by=doctor)
    filings.cancel_filing(referral=filing.referral, by=doctor)
    assert withdraw(filing).state == CANCELLED
    assert [row["standing"] for row in sandbox.ledger.rows.values()] == ["cancelled"]


def test_a_down_interface_is_asked_once_a_run(doctor, chosen, sandbox):
    mood(sandbox, "down")
    for _n in range(3):
        run(opened(doctor))
    asked = sandbox.asked
    assert filing_delivery.tend(timezone.now()) == 0
    assert sandbox.asked == asked + 1


def test_sent_again_by_a_person_it_is_not_booked_twice(doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    mood(sandbox, "well")
    again = run(filings.retry_with_interface(filing=filing, by=doctor))
    assert (again.state, len(sandbox.ledger.rows)) == (CONFIRMED, 1)


def test_by_hand_there_is_no_interface_to_retry(doctor, by_hand):
    with pytest.raises(Refused) as caught:
        filings.retry_with_interface(filing=by_hand, by=doctor)
    assert caught.value.code == "by_hand"


def test_a_job_that_runs_twice_sends_once(doctor, chosen, sandbox):
    filing = opened(doctor)
    run(filing)
    asked = sandbox.asked
    run(filing)
    assert sandbox.asked == asked


def test_while_one_worker_is_at_it_another_leaves_it(doctor, chosen, sandbox):
    filing = opened(doctor)
    begin(filing, timezone.now())
    assert run(filing).state == SENDING
    assert not sandbox.asked


def test_a_killed_workers_filing_is_sent_by_the_next_run(doctor, chosen, sandbox):
    """Killed between marking and asking: the mark grows old, and the recurring job goes on."""
    filing, now = opened(doctor), timezone.now()
    begin(filing, now)
    assert filing_delivery.tend(now) == 0
    filing_delivery.tend(now + timedelta(minutes=2))
    assert fresh(filing).state == CONFIRMED


def test_a_worker_killed_after_booking_does_not_book_twice(doctor, chosen, sandbox):
    filing, now = opened(doctor), timezone.now()
    insurance.of_way(filing.way).submit(begin(filing, now))
    filing_delivery.tend(now + timedelta(minutes=2))
    assert (fresh(filing).state, len(sandbox.ledger.rows)) == (CONFIRMED, 1)


def test_a_filing_that_kills_its_workers_becomes_a_persons(doctor, chosen, sandbox):
    filing, now = opened(doctor), timezone.now()
    for minutes in (0, 2, 4):
        begin(filing, now + timedelta(minutes=minutes))
    filing_delivery.tend(now + timedelta(minutes=6))
    assert (fresh(filing).state, fresh(filing).fault) == (TO_DO, FilingFault.LATE)


def test_a_lost_queue_entry_is_made_good(doctor, chosen, sandbox, settings):
    filing = opened(doctor)  # the callback of the commit never ran
    assert recurring.tend_filings.func() == 0
    settings.INSURANCE_LATE_SECONDS = 0
    recurring.tend_filings.func()
    assert fresh(filing).state == CONFIRMED


def test_without_any_worker_a_person_may_take_it(doctor, chosen, settings):
    filing = opened(doctor)
    with pytest.raises(Conflict):
        filings.take_by_hand(filing=filing, by=doctor)
    settings.INSURANCE_LATE_SECONDS = 0
    taken = filings.take_by_hand(filing=filing, by=doctor)
    assert (taken.state, taken.way, taken.fault) == (TO_DO, InsuranceWay.BY_HAND, FilingFault.LATE)


# Comparing --------------------------------------------------------------------------------------------


def test_comparing_finds_what_the_interface_does_not_know(doctor, chosen, sandbox):
    filing = run(opened(doctor))
    later = timezone.now() + timedelta(days=1)
    assert filing_delivery.compare_all(later) == 1
    assert fresh(filing).finding == ""
    sandbox.ledger.forget(str(filing.referral.uuid))
    before = filing.history.count()
    filing_delivery.compare_all(later + timedelta(days=1))
    assert (fresh(filing).finding, filing.history.count()) == (FilingFinding.UNKNOWN, before + 1)


def test_comparing_finds_a_double_booking_and_one_that_is_still_there(doctor, chosen, sandbox):
    mood(sandbox, "duplicate")
    double = run(opened(doctor))
    mood(sandbox, "well")
    still = run(opened(doctor))
    filings.cancel_filing(referral=still.referral, by=doctor)
    InsuranceFiling.objects.filter(pk=still.pk).update(state=CANCELLED)
    filing_delivery.compare_all(timezone.now() + timedelta(days=1))
    assert fresh(double).finding == FilingFinding.DIFFERS
    assert fresh(still).finding == FilingFinding.STILL


def test_comparing_that_finds_nothing_writes_no_history(doctor, chosen):
    filing = run(opened(doctor))
    before = filing.history.count()
    filing_delivery.compare_all(timezone.now() + timedelta(days=1))
    assert filing.history.count() == before
