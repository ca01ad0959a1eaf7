"""The weekly report on pages: its figures, its words, its signature, its paper."""

from datetime import date

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals
from clinic.errors import Conflict, Refused
from clinic.permissions import needs
from maintenance.actions import reports as actions
from maintenance.codes import BackupState, Module, Severity, TicketKind
from maintenance.forms.reports import LABELS, WordsForm
from maintenance.models import WeeklyReport
from maintenance.weekly import chart, figures

SHOWN = 60


@needs("maintenance.view_weeklyreport")
@require_GET
def weekly(request):
    rows = WeeklyReport.objects.visible_to(request.user).select_related("signed_by")[:SHOWN]
    this = figures.monday_of(timezone.localdate())
    context = {"reports": rows, "mondays": [this - figures.WEEK * n for n in range(5)]}
    return render(request, "maintenance/weekly/list.html", context)


@needs("maintenance.view_weeklyreport")
@require_GET
def report(request, monday):
    return _page(request, _fetch(request, monday))


@needs("maintenance.view_weeklyreport", "maintenance.add_weeklyreport")
@require_POST
def make(request):
    """The week's figures, for the first time or anew."""
    try:
        row = actions.make(monday=_day(request.POST.get("monday", "")), by=request.user, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return redirect("weekly")
    return redirect("weekly-report", monday=row.monday.isoformat())


@needs("maintenance.view_weeklyreport", "maintenance.change_weeklyreport")
@require_POST
def write(request, monday):
    """Refused, because somebody else wrote meanwhile, the page shows both texts."""
    row, form = _fetch(request, monday), WordsForm(request.POST)
    if not form.is_valid():
        return _page(request, row, form, status=400)
    try:
        actions.write(
            report=row,
            words=form.cleaned_data,
            seen=form.cleaned_data["seen"],
            by=request.user,
            request=request,
        )
    except Conflict as conflict:
        refusals.tell(request, conflict)
        row = _fetch(request, monday)
        again = WordsForm({**request.POST.dict(), "seen": actions.fingerprint(row)})
        theirs = [(LABELS[name], row.words.get(name, "")) for name in actions.SECTIONS]
        return _page(request, row, again, status=409, theirs=theirs)
    return redirect("weekly-report", monday=monday)


@needs("maintenance.view_weeklyreport", "maintenance.sign_weeklyreport")
@require_POST
def sign(request, monday):
    try:
        actions.sign(
            report=_fetch(request, monday),
            by=request.user,
            seen=request.POST.get("seen", ""),
            request=request,
        )
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("weekly-report", monday=monday)


def _day(text):
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Http404 from error


def _fetch(request, monday):
    rows = WeeklyReport.objects.visible_to(request.user).select_related("signed_by")
    return get_object_or_404(rows, monday=_day(monday))


def _page(request, row, form=None, status=200, theirs=None):
    seen = actions.fingerprint(row)
    told = row.figures
    context = {
        "report": row, "seen": seen, "until": row.monday + figures.WEEK, "figures": told, "chart": chart.of(told.get("weeks", [])),
        "form": form or WordsForm(initial={**row.words, "seen": seen}), "theirs": theirs,
        "sections": [(LABELS[name], row.words.get(name, "")) for name in actions.SECTIONS],
        "facts": _facts(told), "tables": _tables(told), "whole": not row.sha256 or actions.hash_of(row) == row.sha256,
    }  # fmt: skip
    return render(request, "maintenance/weekly/report.html", context, status=status)


def _facts(told):
    """[(label, value, remark)] of the single figures."""
    medians, messages, house, lines = (
        told.get(name, {}) for name in ("medians", "messages", "house", "lines")
    )
    backups = told.get("backups", {})
    return [
        (_("new tickets"), told.get("new"), ""), (_("closed"), told.get("closed"), ""),
        (_("open"), told.get("open"), ""), (_("came back"), told.get("reopened"), ""),
        (_("breaches"), told.get("breached"), _("%(sum)s CNY") % {"sum": told.get("penalty", 0)}),
        (_("median to the response"), _minutes(medians.get("response")), ""),
        (_("median to the repair"), _minutes(medians.get("resolve")), ""),
        (_("messages delivered"), _percent(messages.get("percent")), _of(messages.get("delivered"), messages.get("failed"))),
        (_("failed saves"), house.get("saves_failed", 0), _("of %(n)s saves") % {"n": house.get("saves", 0)}),
        (_("backups"), sum(backups.get(state, 0) for state in (BackupState.DONE, BackupState.CHECKED)),
         _("%(n)s failed") % {"n": sum(backups.get(state, 0) for state in (BackupState.FAILED, BackupState.DAMAGED))}),
        (_("lines answered"), _percent(lines.get("percent")), ""),
    ]  # fmt: skip


def _tables(told):
    """[(heading, [(label, count)])]."""

    def named(codes, name):
        counts = told.get(name, {})
        return [(codes(code).label, counts[code]) for code in codes.values if counts.get(code)]

    problems = [
        (Module(code).label + (_(", %(n)d of them merged") % {"n": merged} if merged else ""), count)
        for code, count, merged in told.get("problems", []) if code in Module.values
    ]  # fmt: skip
    return [
        (_("What hurt most"), problems), (_("By severity"), named(Severity, "severity")), (_("By kind"), named(TicketKind, "kind")),
        (_("By institution"), told.get("places", [])),
    ]  # fmt: skip


def _minutes(count):
    return (
        "—"
        if count is None
        else _("%(minutes)d min") % {"minutes": count}
        if count < 600
        else _("%(hours)d h") % {"hours": count // 60}
    )


def _percent(value):
    return "—" if value is None else f"{value:.2f} %"


def _of(arrived, lost):
    return _("%(arrived)s arrived, %(lost)s did not") % {"arrived": arrived or 0, "lost": lost or 0}
