"""What is missing or contradicts itself between referrals and city insurance."""

import uuid

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.codes import Act
from clinic.permissions import needs
from emr.insurance import reconciliation as reconciling
from emr.insurance.reconciliation import Kind

SIZE = 50


@needs("emr.file_insurance")
@require_GET
def reconciliation(request):
    """``?kind=``: one of emr.insurance.reconciliation.Kind; ``?after=``: the uuid of the last referral seen."""
    kind = request.GET.get("kind", Kind.MISSING)
    if kind not in Kind.values:
        raise Http404
    now = timezone.now()
    rows, more = reconciling.page(request.user, kind, now, SIZE, _last(request))
    counts = reconciling.counts(request.user, now)
    audit.record(
        Act.VIEW, request=request, detail={"page": "reconciliation", "kind": kind, "rows": len(rows)}
    )
    context = {
        "kind": kind,
        "kinds": [(value, label, sum(row[value] for row in counts)) for value, label in Kind.choices],
        "counts": [(row["institution"], [row[value] for value in Kind.values]) for row in counts],
        "rows": rows,
        "last": rows[-1] if more else None,
    }
    return render(request, "emr/filings/reconciliation.html", context)


def _last(request):
    if not (text := request.GET.get("after")):
        return None
    try:
        key = uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(reconciling.referrals(request.user), uuid=key)
