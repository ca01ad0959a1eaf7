"""Agreements on A4 paper: one, or all that were signed in one sitting."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.codes import Act
from clinic.permissions import needs
from contracts import eligibility
from contracts.codes import ONCE_IN_FORCE, Group, SignatureKind
from contracts.models import Agreement, Signature

# Nobody's household is larger; a longer list is a mistake.
MOST = 40


@dataclass(frozen=True)
class Paper:
    """One agreement as it lies on the paper: ``packages`` [(AgreementPackage, its services for this resident)]."""

    agreement: Agreement
    packages: list
    groups: list
    due: Decimal
    drawn: list
    scans: list
    in_force: bool


@needs("contracts.view_agreement")
@require_GET
@never_cache
def print_agreement(request, agreement):
    """The pages as they will be printed. Seeing them counts as printing: nobody can tell it from outside."""
    return _print(request, [get_object_or_404(_rows(request.user), uuid=agreement)])


@needs("contracts.view_agreement")
@require_GET
@never_cache
def print_sitting(request, sitting):
    """All that a household signed in one go, of whom the reader may see."""
    rows = list(_rows(request.user).filter(sitting=sitting).order_by("pk")[:MOST])
    if not rows:
        raise Http404
    return _print(request, rows, sitting=sitting)


def _rows(user):
    rows = Agreement.objects.visible_to(user).select_related(
        "resident", "team", "institution", "doctor", "text", "signed_by"
    )
    signatures = Signature.objects.visible_to(user).defer("picture")
    return rows.prefetch_related(
        "packages__version__package", "packages__version__items", Prefetch("signatures", queryset=signatures)
    )


def _print(request, rows, sitting=None):
    for row in rows:
        detail = {"state": str(row.state), "sitting": bool(sitting)}
        audit.record(Act.PRINT, request=request, resident=row.resident, obj=row, detail=detail)
    context = {
        "papers": [lay_out(row) for row in rows],
        "back": rows[0] if len(rows) == 1 else None,
        "resident": rows[0].resident,
        "plain_numbers": request.user.has_perm("clinic.reveal_resident"),
    }
    return render(request, "print/agreement.html", context)


def lay_out(row) -> Paper:
    """``row`` with its packages, their services and its signatures fetched."""
    groups = set(row.groups)
    packages = [
        (
            package,
            [item for item in package.version.items.all()
             if eligibility.why_not(item, row.resident, groups, row.start) is None],
        )
        for package in row.packages.all()
    ]  # fmt: skip
    signatures = list(row.signatures.all())
    return Paper(
        agreement=row,
        packages=packages,
        groups=[Group(code).label for code in row.groups if code in Group.values],
        due=row.fee - row.waived,
        drawn=[one for one in signatures if one.kind == SignatureKind.DRAWN],
        scans=[one for one in signatures if one.kind == SignatureKind.SCAN],
        in_force=row.state in ONCE_IN_FORCE,
    )
