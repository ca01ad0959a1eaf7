"""Segments lent by one institution to another: asked for by the borrower, agreed by the district."""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from messaging.actions.quota import enough, locked, may, move, whole
from messaging.codes import LoanState, QuotaKind
from messaging.models import QuotaLoan


@transaction.atomic
def ask(*, borrower, lender, segments, reason, key, by, request=None) -> QuotaLoan:
    """Ask for a loan within the year. ``key`` becomes the loan's uuid: asked twice, it is one."""
    may(by, "messaging.add_quotaloan", borrower.institution)
    whole(segments)
    if borrower.pk == lender.pk or borrower.year != lender.year:
        raise Refused(_("Another institution of the same year lends."), code="lender", field="lender")
    if not reason.strip():
        raise Refused(_("Give the reason."), code="reason", field="reason")
    said = {
        "borrower": borrower,
        "lender": lender,
        "segments": segments,
        "reason": reason.strip(),
        "asked_by": by,
    }
    loan, made = QuotaLoan.objects.get_or_create(uuid=key, defaults=said)
    if not made and any(getattr(loan, name) != value for name, value in said.items()):
        raise Refused(_("This was sent before with other figures. Load the page again."), code="key")
    if made:
        _told(loan, "loan-asked", by, request)
    return loan


@transaction.atomic
def decide(*, loan, approve, by, request=None) -> QuotaLoan:
    """A second person of the level that is over both decides; approved, the segments move at once."""
    may(by, "messaging.decide_quotaloan", loan.lender.institution)
    may(by, "messaging.decide_quotaloan", loan.borrower.institution)
    lender, borrower = locked(loan.lender, loan.borrower)
    loan = _still(loan, LoanState.ASKED)
    if loan.asked_by_id == by.pk:
        raise Forbidden(_("A second person decides."))
    if approve:
        enough(lender, loan.segments)
        move(
            lender,
            borrower,
            QuotaKind.LOAN,
            loan.segments,
            by=by,
            key=_key(loan, "lent"),
            document=loan.reason[:100],
        )
    loan.state = LoanState.APPROVED if approve else LoanState.REFUSED
    return _decided(loan, by, request)


@transaction.atomic
def give_back(*, loan, by, request=None) -> QuotaLoan:
    """The borrower returns it whole, from what is free."""
    may(by, "messaging.add_quotaloan", loan.borrower.institution)
    lender, borrower = locked(loan.lender, loan.borrower)
    loan = _still(loan, LoanState.APPROVED)
    enough(borrower, loan.segments)
    move(borrower, lender, QuotaKind.LOAN_RETURN, loan.segments, by=by, key=_key(loan, "returned"))
    loan.state = LoanState.RETURNED
    loan.save(update_fields=["state"])
    _told(loan, "loan-returned", by, request)
    return loan


def _still(loan, state):
    """The locked row, as long as it stands where the person saw it."""
    loan = QuotaLoan.objects.select_for_update().get(pk=loan.pk)
    if loan.state != state:
        raise Conflict(
            _("This loan is “%(state)s” by now.") % {"state": loan.get_state_display()}, code="state"
        )
    return loan


def _decided(loan, by, request):
    loan.decided_by, loan.decided_at = by, timezone.now()
    loan.save(update_fields=["state", "decided_by", "decided_at"])
    _told(loan, f"loan-{loan.state}", by, request)
    return loan


def _key(loan, what):
    return uuid.uuid5(loan.uuid, what)


def _told(loan, event, by, request):
    detail = {"event": event, "segments": loan.segments, "lender": str(loan.lender.uuid)}
    audit.record(Act.QUOTA, by=by, request=request, obj=loan, detail=detail)
