"""Allowances of the demo: the district's year handed down, a centre that is nearly through, a loan asked for."""

import uuid
from decimal import Decimal

from django.utils import timezone

from clinic.codes import InstitutionKind
from clinic.models import Institution
from messaging import quota as ledger
from messaging.actions import loans
from messaging.actions import quota as actions
from messaging.codes import QuotaKind
from messaging.models import QuotaEntry

DISTRICT, TOP_UP, CENTRE, STATION = 600_000, 50_000, 60_000, 4_000
PRICE = Decimal("0.045")


def make(staff, residents):
    business, manager = staff["district"], staff["manager"]
    year = ledger.year_of(timezone.now())
    whole = _opened(business.institution, year, business)
    _granted(whole, QuotaKind.ALLOTMENT, DISTRICT, f"{year}年度短信额度分配表", business)
    _granted(whole, QuotaKind.TOP_UP, TOP_UP, f"补充采购合同 {year}-07", business, TOP_UP * PRICE)
    centres = Institution.objects.filter(kind=InstitutionKind.CENTRE, active=True).order_by("path")
    rows = []
    for centre in centres:
        rows.append(_opened(centre, year, business))
        _shared(whole, rows[-1], CENTRE, business)
    mine = next(row for row in rows if row.institution_id == manager.institution_id)
    station = _opened(residents[0].home, year, business)
    _shared(mine, station, STATION, manager)
    others = [row for row in rows if row is not mine]
    if others:
        _used(others[0], int(CENTRE * 0.95), business)
        loans.ask(
            borrower=mine,
            lender=others[-1],
            segments=5_000,
            reason="秋冬季流感疫苗接种通知",
            key=uuid.uuid4(),
            by=manager,
        )


def _opened(institution, year, by):
    return actions.open_year(institution=institution, year=year, by=by)


def _granted(quota, kind, segments, document, by, money=None):
    actions.grant(
        quota=quota, kind=kind, segments=segments, document=document, key=uuid.uuid4(), by=by, money=money
    )


def _shared(giver, taker, segments, by):
    actions.share(giver=giver, taker=taker, segments=segments, key=uuid.uuid4(), by=by)


def _used(quota, segments, by):
    """What was sent before this system kept the books: taken over as a correction would be wrong, as used it is."""
    said = {"quota": quota, "by": by, "at": timezone.now()}
    document = "旧系统结转"
    QuotaEntry.objects.create(
        kind=QuotaKind.RESERVATION, free=-segments, reserved=segments, document=document, **said
    )
    QuotaEntry.objects.create(
        kind=QuotaKind.CONSUMPTION, used=segments, reserved=-segments, document=document, **said
    )
    ledger.warn(quota, timezone.now())
