"""The after-visit list 诊后清单 of one doctor: seen when the patient has gone, one's own alone."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from clinic import audit
from clinic.codes import Act
from clinic.errors import Refused
from clinic.permissions import needs
from emr.actions import after_visit as actions
from emr.after_visits import form as after_visit_form
from emr.after_visits import lists
from emr.codes import ItemState, Prompt
from emr.models import AfterVisitItem


@needs("emr.view_aftervisititem")
@require_GET
def after_visit(request):
    return _list(request, lists.open_of(request.user), "emr/after_visit.html")


@needs("emr.view_aftervisititem")
@require_GET
def closed(request):
    return _list(request, lists.closed_of(request.user), "emr/after_visit_done.html")


@needs("emr.view_aftervisititem", "emr.change_aftervisititem")
@require_http_methods(["GET", "POST"])
def item(request, item):
    """One thing to do: prefilled, to be changed, printed, copied, marked done or dismissed (``act``)."""
    row = _item(request, item)
    form = after_visit_form.form_of(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _act(request, row, form):
        if request.POST.get("act") == "print":
            return redirect("after-visit-print", row.uuid)
        messages.success(request, _("Kept."))
        return redirect("after-visit")
    audit.record(Act.VIEW, request=request, resident=row.resident, obj=row, detail={"prompt": row.prompt})
    context = {
        "item": row,
        "form": form,
        "rows": after_visit_form.rows_of(row),
        "why": after_visit_form.WHY[row.prompt],
        "open": row.state == ItemState.OPEN,
    }
    return render(request, "emr/after_visit_item.html", context, status=400 if form.errors else 200)


@needs("emr.view_aftervisititem")
@require_GET
def print_item(request, item):
    row = _item(request, item)
    audit.record(Act.PRINT, request=request, resident=row.resident, obj=row, detail={"prompt": row.prompt})
    context = {"item": row, "rows": after_visit_form.every_row_of(row), "now": timezone.now()}
    return render(request, "print/after_visit.html", context)


def _list(request, rows, template):
    number = request.GET.get("page", "")
    number = int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 0
    items, more = lists.page(rows, number)
    context = {
        "items": lists.tell(items, timezone.now()),
        "more": number + 1 if more else None,
        "before": number - 1 if number else None,
        "page": number,
    }
    return render(request, template, context)


def _item(request, uuid):
    rows = AfterVisitItem.objects.visible_to(request.user).select_related(
        "resident__home", "note__encounter", "institution"
    )
    row = get_object_or_404(lists.with_correction(rows), uuid=uuid)
    return lists.tell([row], timezone.now())[0]


def _act(request, row, form):
    facts, answer = form.facts(), form.cleaned_data["answer"]
    who = {"by": request.user, "request": request}
    try:
        if request.POST.get("act") == "manage" and row.prompt == Prompt.CHRONIC:
            return actions.put_on_management(item=row, answer=answer, facts=facts, **who)
        if request.POST.get("act") == "done":
            return actions.finish(item=row, answer=answer, facts=facts, **who)
        if request.POST.get("act") == "dismiss":
            return actions.dismiss(item=row, reason=answer, facts=facts, **who)
        return actions.edit(item=row, facts=facts, **who)
    except Refused as refusal:
        form.add_error("answer" if refusal.facts.get("field") else None, refusal.message)
        return None
