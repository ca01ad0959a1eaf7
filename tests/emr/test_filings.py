"""Filings: by hand, through the interface, and what happens when it fails."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from clinic.codes import Act, Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry
from emr import insurance
from emr import jobs as recurring
from emr.actions import filing_delivery, filings
from emr.actions.filing_delivery import SETTLED
from emr.codes import FilingFault, FilingFinding, FilingState, InsuranceWay
from emr.models import InsuranceFiling
from tests import factories
from tests.emr.filings import SECRET, choose, pensioner, referral_of, running_sandbox
from tests.emr.test_races import ROUNDS, at_once, codes

pytestmark = pytest.mark.django_db
TO_DO, SENDING, CONFIRMED = FilingState.TO_DO, FilingState.SENDING, FilingState.CONFIRMED
CANCELLING, TO_CANCEL, CANCELLED = FilingState.CANCELLING, FilingState.TO_CANCEL, FilingState.CANCELLED


@pytest.fixture
def sandbox(settings):
    with running_sandbox() as service:
        settings.INSURANCE_SANDBOX_URL, settings.INSURANCE_SECRET = service.url, SECRET
        settings.INSURANCE_SECONDS = 0.4
        yield service


@pytest.fixture
def chosen(station, sandbox):
    """The station files through the sandbox."""
    return choose(station)


@pytest.fixture
def by_hand(doctor):
    """A filing that waits for a person."""
    return filings.open_filing(referral=referral_of(doctor), by=doctor)


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


# Opening ------------------------------------------------------------------------------------------------


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


# Through the interface ----------------------------------------------------------------------------------


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


# The number typed back ----------------------------------------------------------------------------------


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


# Taking it back -----------------------------------------------------------------------------------------


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


# Comparing ----------------------------------------------------------------------------------------------


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


# The database -------------------------------------------------------------------------------------------


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


# At once, with real transactions ------------------------------------------------------------------------


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


# Who sees what ------------------------------------------------------------------------------------------


def test_a_pensioner_of_the_station_is_seen_by_those_who_file(
    by_hand, doctor, nurse, manager, stranger, clerk
):
    seen = [
        bool(InsuranceFiling.objects.visible_to(who)) for who in (doctor, nurse, manager, stranger, clerk)
    ]
    assert seen == [True, True, True, False, False]


def test_the_trail_tells_who_saw_the_numbers(client, doctor, by_hand):
    client.force_login(doctor)
    page = client.get(f"/insurance/{by_hand.uuid}").content.decode()
    assert by_hand.referral.resident.id_number in page
    assert AuditEntry.objects.filter(act=Act.REVEAL, object_id=str(by_hand.uuid)).count() == 1


def test_numbers_are_masked_in_the_list_and_after_filing(client, doctor, by_hand):
    person = by_hand.referral.resident
    client.force_login(doctor)
    assert person.name in (page := client.get("/insurance").content.decode())
    assert person.id_number not in page
    client.post(f"/insurance/{by_hand.uuid}", {"number": "YB20260001"})
    after = client.get(f"/insurance/{by_hand.uuid}").content.decode()
    assert "YB20260001" in after
    assert person.id_number not in after
    assert person.insurance_number not in after


def test_pages_of_others_are_not_found(client, stranger, clerk, by_hand):
    pages = [f"/insurance/{by_hand.uuid}{end}" for end in ("", "/ask", "/cancelled", "/retry", "/by-hand")]
    client.force_login(stranger)
    assert {client.post(page).status_code for page in pages} == {404}
    client.force_login(clerk)
    assert {client.post(page).status_code for page in pages} == {403}


def test_a_refused_number_keeps_what_was_typed(client, doctor, by_hand):
    client.force_login(doctor)
    answer = client.post(f"/insurance/{by_hand.uuid}", {"number": "<b>1"})
    assert answer.status_code == 400
    assert 'value="&lt;b&gt;1"' in answer.content.decode()


@pytest.mark.parametrize("address", ["?tab=x", "?after=1", "?after=" + "0" * 32, "?tab=%00"])
def test_an_odd_address_is_not_found(client, doctor, address):
    client.force_login(doctor)
    assert client.get(f"/insurance{address}").status_code in (400, 404)


def test_the_worklist_is_paged_and_costs_few_queries(client, doctor, django_assert_max_num_queries):
    for _n in range(60):
        opened(doctor, resident=pensioner(doctor.institution))
    client.force_login(doctor)
    with django_assert_max_num_queries(12):
        page = client.get("/insurance").content.decode()
    last = list(InsuranceFiling.objects.order_by("made_at", "pk"))[49]
    assert f"after={last.uuid}" in page
    assert client.get(f"/insurance?after={last.uuid}").content.decode().count("/insurance/") >= 10


def test_asking_now_confirms_it_or_says_that_it_cannot(client, doctor, chosen, sandbox):
    mood(sandbox, "lose")
    filing = run(opened(doctor))
    client.force_login(doctor)
    mood(sandbox, "down")
    assert "接口" in client.post(f"/insurance/{filing.uuid}/ask", follow=True).content.decode()
    assert fresh(filing).state == TO_DO
    mood(sandbox, "well")
    client.post(f"/insurance/{filing.uuid}/ask")
    assert fresh(filing).state == CONFIRMED


def test_the_referrals_page_says_that_it_fell_back(client, doctor, chosen, sandbox):
    mood(sandbox, "down")
    filing = run(opened(doctor))
    client.force_login(doctor)
    page = client.get(f"/referrals/{filing.referral.uuid}/filing").content.decode()
    assert "手工" in page
    assert f"/insurance/{filing.uuid}" in page
