"""What jobs do with filings: send, ask, take back, compare. No row is locked while an interface is asked, so what
it says is put to the row as it stands afterwards: a person may have been quicker. Order of locks: referral, filing.

A claim's key is its referral's uuid, so asking or sending again never files twice (emr.insurance).
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from emr import insurance
from emr.codes import FilingFault, FilingFinding, FilingState, InsuranceWay
from emr.insurance import InsuranceFault, Standing
from emr.models import InsuranceFiling

log = logging.getLogger("sheyi.insurance")

# A worker that died in the middle is followed by another one so often.
ATTEMPTS = 3
# An interface that does not know a claim so long after it was sent has not booked it.
SETTLED = timedelta(minutes=5)
# One run takes so many rows and about so long: other jobs wait behind it.
AT_ONCE, RUN_SECONDS = 500, 20
COMPARED_EVERY = timedelta(hours=20)
READY = (
    "referral__resident",
    "referral__from_institution",
    "referral__to_institution",
    "referral__encounter__note",
)
CANCEL_REASON = "referral withdrawn"


def deliver(*, filing, now):
    """Send a filing in state SENDING and write down what became of it; return it. A fault makes it a person's."""
    row = _lease(filing, now, FilingState.SENDING)
    if row is None:
        return _fresh(filing)
    try:
        outcome = insurance.of_way(row.way).submit(insurance.Claim.of(row.referral))
    except InsuranceFault as fault:
        return _failed(filing, fault)
    return _submitted(filing, outcome, now)


def withdraw(*, filing, now):
    """Take back at the interface a filing in state CANCELLING; return it. A fault makes it a person's."""
    row = _lease(filing, now, FilingState.CANCELLING)
    if row is None:
        return _fresh(filing)
    interface = insurance.of_way(row.interface)
    try:
        outcome = interface.query(key=str(row.referral.uuid))
        if outcome.standing is Standing.BOOKED:
            outcome = interface.cancel(outcome.number, CANCEL_REASON)
    except InsuranceFault as fault:
        return _not_withdrawn(row, fault)
    return _withdrawn(row, outcome)


def ask(*, filing, now):
    """Find out whether the interface booked a filing that fell back to by hand; return the row. Raises
    InsuranceFault while it cannot say."""
    outcome = insurance.of_way(filing.interface).query(key=str(filing.referral.uuid))
    with transaction.atomic():
        row = _lock(filing)
        if row.state != FilingState.TO_DO:
            return row
        row.checked_at = now
        if outcome.standing is Standing.BOOKED:
            return _confirm(row, outcome.number, now)
        if row.tried_at is None or now - row.tried_at >= SETTLED:
            row.settled = True
        return _keep(row, ["checked_at", "settled"], quiet=not row.settled)


def compare(*, filing, now):
    """Hold a closed filing against what its interface says (``finding``); return the row. Raises InsuranceFault."""
    outcome = insurance.of_way(filing.interface).query(key=str(filing.referral.uuid))
    with transaction.atomic():
        row = _lock(filing)
        number, finding = outcome.number or row.interface_number, _finding(row, outcome)
        same = (row.finding, row.interface_number) == (finding, number)
        row.finding, row.interface_number, row.checked_at = finding, number, now
        return _keep(row, ["finding", "interface_number", "checked_at"], quiet=same)


def tend(now) -> int:
    """Go on with what jobs left behind, and ask after what may have been booked. How many were dealt with."""
    late = now - timedelta(seconds=settings.INSURANCE_LATE_SECONDS)
    done, end = 0, time.monotonic() + RUN_SECONDS
    for row in InsuranceFiling.objects.left_behind(late).order_by("made_at")[:AT_ONCE]:
        if time.monotonic() > end:
            return done
        try:
            (deliver if row.state == FilingState.SENDING else withdraw)(filing=row, now=now)
            done += 1
        except (
            Exception
        ) as error:  # one odd filing must not keep the others waiting; its attempts are counted
            log.exception("filing not tended", extra={"facts": {"kind": type(error).__name__}})
    return done + _each(ask, InsuranceFiling.objects.uncertain().order_by("made_at"), now, end)


def compare_all(now) -> int:
    """Compare what interfaces were asked about lately, the longest not compared first."""
    rows = (
        InsuranceFiling.objects.exclude(interface="")
        .filter(made_at__gte=now - timedelta(days=settings.INSURANCE_COMPARE_DAYS))
        .filter(state__in=[FilingState.CONFIRMED, FilingState.CANCELLED])
        .exclude(checked_at__gt=now - COMPARED_EVERY)
        .order_by(F("checked_at").asc(nulls_first=True), "pk")
    )
    return _each(compare, rows, now, time.monotonic() + RUN_SECONDS)


def _each(act, rows, now, end):
    """An interface that fails once is left alone until the next run: a down one would cost its deadline each time."""
    done, failing = 0, set()
    for row in rows.select_related("referral")[:AT_ONCE]:
        if time.monotonic() > end:
            break
        if row.interface in failing:
            continue
        try:
            act(filing=row, now=now)
            done += 1
        except InsuranceFault as fault:
            failing.add(row.interface)
            log.info("interface fails", extra={"facts": {"way": row.interface, "fault": fault.fault.value}})
        except Exception as error:  # one odd filing must not keep those behind it waiting
            log.exception("filing not asked after", extra={"facts": {"kind": type(error).__name__}})
    return done


# One attempt ------------------------------------------------------------------------------------------


@transaction.atomic
def _lease(filing, now, state):
    """The row in that state, marked as being worked on; None while another worker is at it, or when it has
    taken too many workers with it and is now a person's."""
    row = _lock(filing)
    late = timedelta(seconds=settings.INSURANCE_LATE_SECONDS)
    if row.state != state or (row.tried_at and now - row.tried_at < late):
        return None
    if row.attempts >= ATTEMPTS:
        _to_a_person(row, FilingFault.LATE)
        return None
    row.attempts, row.tried_at = row.attempts + 1, now
    fields = ["attempts", "tried_at"]
    if state == FilingState.SENDING:
        row.interface, fields = row.way, [*fields, "interface"]
    row.save(update_fields=fields)
    return InsuranceFiling.objects.select_related(*READY).get(pk=row.pk)


@transaction.atomic
def _submitted(filing, outcome, now):
    row = _lock(filing)
    if row.state in (FilingState.SENDING, FilingState.TO_DO) and outcome.standing is Standing.BOOKED:
        return _confirm(row, outcome.number, now)
    if row.state == FilingState.SENDING:
        return _to_a_person(row, FilingFault.REFUSED)
    # Somebody was quicker. The number is kept; a withdrawn one is taken back by the job, again if need be.
    row.interface_number = outcome.number
    fields = ["interface_number"]
    if row.state == FilingState.CONFIRMED and row.external_number != outcome.number:
        row.finding, fields = FilingFinding.DIFFERS, [*fields, "finding"]
    if row.state == FilingState.CANCELLED and outcome.standing is Standing.BOOKED:
        row.state, row.tried_at, row.attempts = FilingState.CANCELLING, None, 0
        fields += ["state", "tried_at", "attempts"]
    row.save(update_fields=fields)
    return row


def _confirm(row, number, now):
    row.state, row.way, row.fault, row.answer = FilingState.CONFIRMED, row.interface, "", ""
    row.external_number = row.interface_number = number
    row.filed_at, row.filed_by, row.finding, row.checked_at = now, None, "", now
    row.save()
    return row


@transaction.atomic
def _failed(filing, fault):
    row = _lock(filing)
    if row.state != FilingState.SENDING:
        return row
    never_sent = not fault.sent and row.attempts <= 1
    return _to_a_person(row, fault.fault, getattr(fault, "sentence", ""), settled=never_sent)


@transaction.atomic
def _not_withdrawn(filing, fault):
    row = _lock(filing)
    if row.state != FilingState.CANCELLING:
        return row
    return _to_a_person(row, fault.fault, getattr(fault, "sentence", ""))


@transaction.atomic
def _withdrawn(filing, outcome):
    """Taken back, or never there. A number that a person typed into the city's system is a person's to take back."""
    row = _lock(filing)
    if row.state != FilingState.CANCELLING:
        return row
    row.interface_number = outcome.number or row.interface_number
    typed = row.external_number not in ("", row.interface_number)
    row.state = FilingState.TO_CANCEL if typed else FilingState.CANCELLED
    row.fault = row.answer = row.finding = ""
    row.save()
    return row


def _to_a_person(row, fault, answer="", settled=False):
    """Fall back to by hand, and say why. ``settled``: the interface cannot have booked it."""
    cancelling = row.state == FilingState.CANCELLING
    row.state = FilingState.TO_CANCEL if cancelling else FilingState.TO_DO
    if not cancelling:
        row.way = InsuranceWay.BY_HAND
    row.fault, row.answer, row.settled = fault, answer, settled
    row.save()
    log.warning(
        "filing falls back to by hand", extra={"facts": {"filing": str(row.uuid), "fault": fault.value}}
    )
    return row


def _keep(row, fields, quiet):
    """``quiet``: nothing was found out but the time of asking, which is no history."""
    if quiet:
        row.skip_history_when_saving = True
    row.save(update_fields=fields)
    return row


def _finding(row, outcome):
    """What is wrong between the row and the interface, or ""."""
    if row.state == FilingState.CANCELLED:
        return FilingFinding.STILL if outcome.standing is Standing.BOOKED else ""
    booked = outcome.standing is Standing.BOOKED
    if row.way == InsuranceWay.BY_HAND:  # typed by a person; the interface should not have it as well
        return FilingFinding.DIFFERS if booked and outcome.number != row.external_number else ""
    if not booked:
        return FilingFinding.UNKNOWN
    return "" if outcome.number == row.external_number else FilingFinding.DIFFERS


def _lock(filing):
    return InsuranceFiling.objects.select_for_update(of=("self",)).get(pk=filing.pk)


def _fresh(filing):
    return InsuranceFiling.objects.get(pk=filing.pk)
