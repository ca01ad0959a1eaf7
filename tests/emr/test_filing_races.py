"""Two at a filing at once, with real transactions: one number, one booking, and nothing left standing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from emr.actions import filing_delivery, filings
from emr.codes import InsuranceWay
from tests.emr.filings import (
    CANCELLED,
    CONFIRMED,
    choose,
    fresh,
    mood,
    opened,
    run,
)
from tests.emr.test_races import ROUNDS, at_once, codes

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_two_people_type_a_number_at_once(doctor, colleague):
    for _n in range(ROUNDS):
        filing = opened(doctor)
        outcomes = at_once(
            *(
                lambda filing=filing, by=by: filings.confirm_by_hand(
                    filing=filing, number=f"YB{filing.pk:06d}{by.pk:06d}", by=by
                )
                for by in (doctor, colleague)
            )
        )
        assert codes(outcomes) == ["filed"]
        kept = fresh(filing)
        assert kept.external_number.endswith(f"{kept.filed_by_id:06d}")


@pytest.mark.django_db(transaction=True)
def test_the_interface_is_found_to_have_it_while_a_person_types(doctor, station, sandbox):
    choose(station)
    for _n in range(ROUNDS // 2):
        mood(sandbox, "lose")
        filing = run(opened(doctor))
        mood(sandbox, "well")
        number = f"YB{filing.pk:08d}"
        outcomes = at_once(
            lambda filing=filing, number=number: filings.confirm_by_hand(
                filing=filing, number=number, by=doctor
            ),
            lambda filing=filing: filing_delivery.ask(filing=filing, now=timezone.now()),
        )
        kept = fresh(filing)
        typed = codes(outcomes) == []
        assert codes(outcomes) in ([], ["filed"])
        assert (kept.external_number == number) is typed
        assert (kept.way == InsuranceWay.BY_HAND) is typed


@pytest.mark.django_db(transaction=True)
def test_a_referral_ends_while_its_filing_is_sent(doctor, station, sandbox):
    choose(station)
    for _n in range(ROUNDS // 2):
        filing = opened(doctor)
        at_once(
            lambda filing=filing: run(filing),
            lambda filing=filing: filings.cancel_filing(referral=filing.referral, by=doctor),
        )
        filing_delivery.tend(timezone.now() + timedelta(minutes=2))
        assert fresh(filing).state == CANCELLED
    assert {row["standing"] for row in sandbox.ledger.rows.values()} <= {"cancelled"}


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_filing(doctor, station, sandbox):
    choose(station)
    for _n in range(ROUNDS // 2):
        filing = opened(doctor)
        at_once(lambda filing=filing: run(filing), lambda filing=filing: run(filing))
        assert fresh(filing).state == CONFIRMED
    assert len(sandbox.ledger.rows) == ROUNDS // 2
