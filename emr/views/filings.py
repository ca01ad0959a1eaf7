"""Filing referrals with city insurance: what waits, what to type, and the number that came back."""

import uuid

from django.contrib import messages
from django.db.models import Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import audit, refusals
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr import insurance
from emr.actions import filing_delivery
from emr.actions import filings as actions
from emr.codes import FilingState
from emr.insurance import Claim, InsuranceFault
from emr.insurance.filing_sheet import sheet_of
from emr.models import InsuranceFiling, Referral
from emr.models.filing import CLOSED, UNDER_WAY

SIZE = 50
STEPS = 20
TABS = ("waiting", "sending", "done")


@needs("emr.file_insurance")
@require_GET
def filings(request):
    """The worklist; ``?tab=``: waiting for a person, on the way, done; ``?after=``: the last one seen."""
    tab = request.GET.get("tab", TABS[0])
    if tab not in TABS:
        raise Http404
    mine = InsuranceFiling.objects.visible_to(request.user)
    rows = mine.select_related("referral__resident", "institution", "filed_by")
    rows = list(_from(_of_tab(rows, tab), _last(mine, request), newest=tab == "done")[: SIZE + 1])
    now = timezone.now()
    for row in rows:
        row.late = row.is_under_way and actions.is_late(row, now)
    context = {
        "tab": tab,
        "filings": rows[:SIZE],
        "last": rows[SIZE - 1] if len(rows) > SIZE else None,
        "waiting": mine.for_people().count(),
        "sending": mine.filter(state__in=UNDER_WAY).count(),
    }
    return render(request, "emr/filings/list.html", context)


@needs("emr.file_insurance")
@require_http_methods(["GET", "POST"])
def filing(request, filing):
    """One filing: the fields to type, and the number typed back (POST)."""
    row = _fetch(request, filing)
    refusal, typed = None, request.POST.get("number", "")
    if request.method == "POST":
        try:
            kept = actions.confirm_by_hand(
                filing=row, number=typed, by=request.user, request=request,
                replacing=request.POST.get("replacing", ""), despite="despite" in request.POST,
            )  # fmt: skip
            messages.success(
                request, _("Filed with the number %(number)s.") % {"number": kept.external_number}
            )
            return redirect("filings")
        except Refused as error:
            refusal, row = error, _fetch(request, filing)
    return _show(request, row, refusal, typed)


def _show(request, row, refusal, typed):
    """The whole numbers stand there while they have to be typed, and the trail says who saw them."""
    shown = row.is_open
    audit.record(
        Act.REVEAL if shown else Act.VIEW, request=request, resident=row.referral.resident, obj=row,
        detail={"page": "insurance"},
    )  # fmt: skip
    context = {
        "filing": row,
        "referral": row.referral,
        "resident": row.referral.resident,
        "sheet": sheet_of(Claim.of(row.referral), whole=shown),
        "refusal": refusal,
        "typed": typed,
        "late": row.is_under_way and actions.is_late(row, timezone.now()),
        "machine": insurance.for_institution(row.institution).by_machine,
        "steps": row.history.select_related("history_user").order_by("-history_date")[:STEPS],
        "correcting": "correct" in request.GET and row.state == FilingState.CONFIRMED,
    }
    return render(request, "emr/filings/filing.html", context, status=refusal.status if refusal else 200)


@needs("emr.file_insurance")
@require_POST
def cancelled(request, filing):
    """It was taken back in the city's system."""
    return _act(request, filing, actions.confirm_cancelled, _("Written down as cancelled."))


@needs("emr.file_insurance")
@require_POST
def retry(request, filing):
    """Once more through the interface."""
    return _act(request, filing, actions.retry_with_interface, _("It is being sent again."))


@needs("emr.file_insurance")
@require_POST
def by_hand(request, filing):
    """No job came back for it: a person takes it."""
    return _act(request, filing, actions.take_by_hand, _("It is yours to file by hand now."))


@needs("emr.file_insurance")
@require_POST
def ask(request, filing):
    """Whether the interface booked it after all. The one page that waits for an interface, on a person's word and
    for settings.INSURANCE_SECONDS at most."""
    row = _fetch(request, filing)
    if row.is_uncertain:
        try:
            row = filing_delivery.ask(filing=row, now=timezone.now())
        except InsuranceFault as fault:
            messages.warning(request, _("It cannot say now: %(fault)s.") % {"fault": fault.fault.label})
            return redirect("filing", row.uuid)
    if row.state == FilingState.CONFIRMED:
        messages.success(
            request, _("It is filed with the number %(number)s.") % {"number": row.external_number}
        )
    elif row.is_uncertain:
        messages.info(request, _("The interface does not know it yet. Please ask again in a few minutes."))
    else:
        messages.info(request, _("The interface does not know it. Please file it by hand."))
    return redirect("filing", row.uuid)


@needs("emr.view_referral")
@require_GET
def state(request, referral):
    """How far the filing is, for the referral's page while a job is at it."""
    row = get_object_or_404(
        Referral.objects.visible_to(request.user).select_related("filing").exclude(group=""), uuid=referral
    )
    return render(request, "emr/filings/_state.html", {"referral": row})


def _act(request, filing, act, sentence):
    row = _fetch(request, filing)
    try:
        act(filing=row, by=request.user, request=request)
        messages.success(request, sentence)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("filing", row.uuid)


def _fetch(request, filing):
    return get_object_or_404(
        InsuranceFiling.objects.visible_to(request.user).select_related(
            "referral__resident__home", "referral__from_institution", "referral__to_institution",
            "referral__encounter__note", "institution", "filed_by",
        ),
        uuid=filing,
    )  # fmt: skip


def _of_tab(rows, tab):
    if tab == "done":
        return rows.filter(state__in=CLOSED)
    return rows.for_people() if tab == "waiting" else rows.filter(state__in=UNDER_WAY)


def _last(rows, request):
    if not (text := request.GET.get("after")):
        return None
    try:
        key = uuid.UUID(text)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(rows, uuid=key)


def _from(rows, last, newest):
    """The oldest first where somebody waits, the newest first where all is done."""
    rows = rows.order_by(*(["-made_at", "-pk"] if newest else ["made_at", "pk"]))
    if last is None:
        return rows
    sign = "lt" if newest else "gt"
    return rows.filter(
        Q(**{f"made_at__{sign}": last.made_at}) | Q(made_at=last.made_at, **{f"pk__{sign}": last.pk})
    )
