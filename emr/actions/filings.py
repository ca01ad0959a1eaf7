"""What people do with filings: what city insurance is told of a referral of the insured old or young.

``open_filing`` and ``cancel_filing`` run inside the referral's own transaction, which holds its row: they
never raise and never wait for an interface. Jobs do the asking (emr.actions.filing_delivery).
"""

import logging
import re
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.identifiers import half_width
from emr import insurance
from emr.codes import FilingFault, FilingState, InsuranceWay, ReferralState
from emr.insurance.filing_jobs import after_commit, deliver_filing, withdraw_filing
from emr.models import InsuranceFiling, Referral

log = logging.getLogger("sheyi.insurance")
ON_THE_WAY = (ReferralState.PENDING, ReferralState.ACCEPTED, ReferralState.RETURNED)
OPENED_AT_ONCE = 500


def open_filing(*, referral, by, request=None):
    """Note that the referral has to be filed, and have it sent where the institution chose an interface.

    Return the InsuranceFiling; None for people who are neither insured old nor young, and where it could not be
    written: the referral goes out all the same, and the nightly job finds it (emr.jobs)."""
    if not referral.group:
        return None
    try:
        with transaction.atomic():
            return _open(referral, by, request)
    except Exception as error:  # whatever it is, the patient is waiting
        log.exception("filing not opened", extra={"facts": {"kind": type(error).__name__}})
        return None


def cancel_filing(*, referral, by, request=None):
    """The referral came to nothing: whatever was filed has to be taken back. Return the filing or None."""
    try:
        with transaction.atomic():
            return _cancel(referral, by, request)
    except Exception as error:  # as above
        log.exception("filing not cancelled", extra={"facts": {"kind": type(error).__name__}})
        return None


def open_missing(now) -> int:
    """Open what ``open_filing`` could not, for referrals that are still on their way. How many."""
    rows = Referral.objects.filter(
        filing=None, state__in=ON_THE_WAY, sent_at__gte=now - timedelta(days=settings.INSURANCE_COMPARE_DAYS)
    ).exclude(group="")
    found = rows.select_related("from_institution", "resident", "doctor")[:OPENED_AT_ONCE]
    return sum(open_filing(referral=row, by=row.doctor) is not None for row in found)


def cancel_missing(now) -> int:
    """Take back what ``cancel_filing`` could not, for referrals that came to nothing. How many."""
    rows = InsuranceFiling.objects.filter(
        state__in=[FilingState.TO_DO, FilingState.SENDING, FilingState.CONFIRMED],
        referral__sent_at__gte=now - timedelta(days=settings.INSURANCE_COMPARE_DAYS),
    ).exclude(referral__state__in=ON_THE_WAY)
    found = [row.referral for row in rows.select_related("referral")[:OPENED_AT_ONCE]]
    return sum(cancel_filing(referral=referral, by=None) is not None for referral in found)


def confirm_by_hand(*, filing, number, by, replacing="", despite=False, request=None):
    """Write down the number that the city's system gave; return the filing.

    The same number again changes nothing. ``replacing`` is the number in force that the person saw and corrects;
    ``despite``: the person knows that another referral carries this number. Refused codes: number, duplicate;
    Conflict codes: filed, sending, cancelled.
    """
    number = tidy(number)
    with transaction.atomic():
        row = _lock(filing, by)
        if row.state == FilingState.CONFIRMED and row.external_number == number:
            return row
        _must_take_a_number(row, replacing)
        _check_number(number, row, despite)
        row.state, row.way = FilingState.CONFIRMED, InsuranceWay.BY_HAND
        row.external_number, row.filed_by, row.filed_at = number, by, timezone.now()
        row.finding = ""
        row.save()
        _tell(row, by, request, "filed", replaced=bool(replacing))
        return row


def confirm_cancelled(*, filing, by, request=None):
    """A person took it back in the city's system; return the filing."""
    with transaction.atomic():
        row = _lock(filing, by)
        if row.state == FilingState.CANCELLED:
            return row
        if row.state != FilingState.TO_CANCEL:
            raise Conflict(_("This filing is not to be cancelled."), code="state")
        row.state, row.fault, row.answer = FilingState.CANCELLED, "", ""
        row.save()
        _tell(row, by, request, "cancelled")
        return row


def retry_with_interface(*, filing, by, request=None):
    """Give it to the institution's interface once more; return the filing. What was booked before is found again
    by its key, and not booked twice."""
    with transaction.atomic():
        row = _lock(filing, by)
        if row.state not in (FilingState.TO_DO, FilingState.TO_CANCEL):
            raise Conflict(_("This filing is not waiting to be done by hand."), code="state")
        cancelling = row.state == FilingState.TO_CANCEL
        # What may be at one interface already is sent to that one again, whatever was chosen since.
        stay = cancelling or row.is_uncertain
        way = row.interface if stay else insurance.for_institution(row.institution).way
        if not way or not insurance.of_way(way).by_machine:
            raise Refused(_("This institution files by hand; no interface is chosen."), code="by_hand")
        row.way = row.way if cancelling else way
        # An earlier attempt may have arrived: the next one's "nobody listens" does not settle that.
        row.attempts, row.tried_at = int(row.is_uncertain), None
        row.fault, row.answer = "", ""
        row.state = FilingState.CANCELLING if cancelling else FilingState.SENDING
        row.save()
        _tell(row, by, request, "sent again")
        after_commit(withdraw_filing if cancelling else deliver_filing, row)
        return row


def take_by_hand(*, filing, by, request=None):
    """Take from the interface what no job came back for (none may be running); return the filing."""
    now = timezone.now()
    with transaction.atomic():
        row = _lock(filing, by)
        if row.state in (FilingState.TO_DO, FilingState.TO_CANCEL):
            return row
        if not row.is_under_way or not is_late(row, now):
            raise Conflict(_("It is being sent right now. Please wait a minute."), code="sending")
        row.state = FilingState.TO_DO if row.state == FilingState.SENDING else FilingState.TO_CANCEL
        row.way, row.fault, row.settled = InsuranceWay.BY_HAND, FilingFault.LATE, False
        row.save()
        _tell(row, by, request, "taken by hand")
        return row


def is_late(row, now):
    return now - (row.tried_at or row.made_at) > timedelta(seconds=settings.INSURANCE_LATE_SECONDS)


def tidy(number):
    """As the city's system writes it: half-width, without spaces."""
    return re.sub(r"\s", "", half_width(str(number)))


# Inside -------------------------------------------------------------------------------------------------


def _open(referral, by, request):
    if found := InsuranceFiling.objects.filter(referral=referral).first():
        return found
    interface = insurance.for_institution(referral.from_institution)
    row = InsuranceFiling(
        referral=referral,
        institution_id=referral.from_institution_id,
        way=interface.way,
        interface=interface.way if interface.by_machine else "",
        state=FilingState.SENDING if interface.by_machine else FilingState.TO_DO,
    )
    row.save(force_insert=True)
    _tell(row, by, request, "opened", way=str(interface.way))
    if interface.by_machine:
        after_commit(deliver_filing, row)
    return row


def _cancel(referral, by, request):
    row = InsuranceFiling.objects.select_for_update(of=("self",)).filter(referral=referral).first()
    if row is None or row.state in (FilingState.CANCELLED, FilingState.CANCELLING, FilingState.TO_CANCEL):
        return row
    row.state = _after_cancelling(row)
    row.tried_at, row.attempts = None, 0
    row.save()
    _tell(row, by, request, "to be cancelled")
    if row.state == FilingState.CANCELLING:
        after_commit(withdraw_filing, row)
    return row


def _after_cancelling(row):
    """Where an interface may know of it, it is asked; a typed number is a person's to take back; else that is all."""
    asked = row.interface and (row.tried_at is not None or row.attempts)
    if asked and not (row.state == FilingState.TO_DO and row.settled):
        return FilingState.CANCELLING
    return FilingState.TO_CANCEL if row.state == FilingState.CONFIRMED else FilingState.CANCELLED


def _lock(filing, by):
    row = (
        InsuranceFiling.objects.visible_to(by)
        .select_for_update(of=("self",))
        .select_related("referral__resident__home", "institution")
        .filter(pk=filing.pk)
        .first()
    )
    if row is None:
        raise Forbidden(
            _("Only the institution that referred files it with the insurance."), code="elsewhere"
        )
    return row


def _must_take_a_number(row, replacing):
    if row.is_under_way:
        raise Conflict(_("It is being sent right now. Please wait a minute."), code="sending")
    if row.state in (FilingState.CANCELLED, FilingState.TO_CANCEL):
        raise Conflict(_("This filing was cancelled."), code="cancelled")
    typed = row.way == InsuranceWay.BY_HAND
    if row.state == FilingState.CONFIRMED and not (typed and replacing == row.external_number):
        raise Conflict(
            _("It was filed in the meantime, with the number %(number)s.") % {"number": row.external_number},
            code="filed",
        )


def _check_number(number, row, despite):
    resident = row.referral.resident
    if not insurance.NUMBER.fullmatch(number):
        raise Refused(
            _("A number has 4 to 40 letters, digits, - or /. Please copy it as the city's system shows it."),
            code="number",
            field="number",
        )
    if number.upper() in {(resident.id_number or "").upper(), resident.insurance_number.upper()}:
        raise Refused(
            _("This is the resident's own number, not the number of the filing."),
            code="number",
            field="number",
        )
    others = InsuranceFiling.objects.filter(external_number=number).exclude(pk=row.pk)
    if not despite and others.exists():
        raise Refused(
            _("Another referral carries this number already. Please compare it with the city's system."),
            code="duplicate",
            field="number",
        )


def _tell(row, by, request, act, **detail):
    resident = row.referral.resident
    audit.record(
        Act.CHANGE, by=by, request=request, resident=resident, obj=row, reason="insurance",
        detail={"filing": act, **detail},
    )  # fmt: skip
