"""The referral form and the return form on paper."""

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from clinic import audit
from clinic.codes import Act
from clinic.permissions import needs
from emr.codes import ReferralState
from emr.models import Referral
from emr.referring import printing


@needs("emr.view_referral", "emr.print_note")
@require_GET
def print_referral(request, referral):
    """The pages as they will be printed. Seeing them counts as printing."""
    return _print(request, _referral(request, referral), printing.lay_out, "out")


@needs("emr.view_referral", "emr.print_note")
@require_GET
def print_return(request, referral):
    row = _referral(request, referral)
    if row.state != ReferralState.RETURNED:
        raise Http404
    return _print(request, row, printing.lay_out_return, "back")


def _print(request, row, lay_out, which):
    audit.record(Act.PRINT, request=request, resident=row.resident, obj=row, detail={"form": which})
    context = {"form": lay_out(row), "referral": row}
    return render(request, "print/referral.html", context)


def _referral(request, number):
    rows = Referral.objects.visible_to(request.user).select_related("resident__home", "from_institution")
    return get_object_or_404(rows, uuid=number)
