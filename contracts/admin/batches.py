"""Orders for many agreements at the desk: how far they are, what became of each line, stopping, the sheet of results."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit, refusals, spreadsheets
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.codes import Act
from clinic.errors import Refused
from contracts.actions import batches as actions
from contracts.codes import BatchState, LineState
from contracts.jobs import run_batch
from contracts.models import Batch, BatchLine

SIZE = 50
REASONS = 30
TABS = {"refused": LineState.REFUSED, "done": LineState.DONE, "waiting": LineState.WAITING}


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    paginator = CappedPaginator
    list_display = [
        "kind",
        "state",
        "lines_total",
        "lines_done",
        "lines_refused",
        "made",
        "made_by",
        "institution",
    ]
    list_filter = ["kind", "state", InstitutionFilter]
    list_select_related = ["made_by", "institution"]
    sortable_by = ()
    actions = None

    @admin.display(description=gettext_lazy("made at"))
    def made(self, batch):
        return f"{timezone.localtime(batch.made_at):%Y-%m-%d %H:%M}"

    # Pages ----------------------------------------------------------------------------------------

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"contracts_batch_{name}")

        own = [
            page("<uuid:batch>/live/", self.live, "live"),
            page("<uuid:batch>/stop/", self.stop, "stop"),
            page("<uuid:batch>/go-on/", self.go_on, "go_on"),
            page("<uuid:batch>/result/<str:form>/", self.result, "result"),
        ]
        return own + super().get_urls()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """How far it is, and its lines. ``?tab=``: refused (at first), done, waiting; ``?after=``: the last row seen."""
        batch = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        audit.record(Act.VIEW, request=request, obj=batch)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _title(batch),
            **self.facts(request, batch), **self.lines(request, batch),
        }  # fmt: skip
        return TemplateResponse(request, "admin/contracts/batch.html", context)

    def live(self, request, batch):
        """The moving parts alone; the lines once it is over, since they lie still under the reader's eyes until then."""
        row = self.fetch(request, str(batch))
        facts = self.facts(request, row)
        if facts["left"]:
            return render(request, "admin/contracts/_batch_live.html", facts)
        return render(request, "admin/contracts/_batch_over.html", {**facts, **self.lines(request, row)})

    def lines(self, request, batch):
        tab = request.GET.get("tab", "refused" if batch.lines_refused else "done")
        if tab not in TABS:
            raise Http404
        rows, last = _page(request, batch, TABS[tab])
        tabs = [("refused", batch.lines_refused), ("done", batch.lines_done), ("waiting", _waiting(batch))]
        return {"tab": tab, "tabs": tabs, "rows": rows, "last": last}

    def facts(self, request, batch):
        left = batch.state in actions.LEFT
        return {
            "batch": batch, "waiting": _waiting(batch), "pace": "quick" if left else "over",
            "reasons": _reasons(batch) if batch.lines_refused else [],
            "may": request.user.has_perm(actions.RIGHT[batch.kind]), "left": left,
            "stopped": batch.state == BatchState.STOPPED,
        }  # fmt: skip

    def stop(self, request, batch):
        return self._act(request, batch, actions.stop, _("Stopped. What is done stays done."))

    def go_on(self, request, batch):
        return self._act(request, batch, actions.go_on, _("It goes on."))

    def _act(self, request, key, act, done):
        row = self.fetch(request, str(key))
        if request.method != "POST" or not request.user.has_perm(actions.RIGHT[row.kind]):
            raise PermissionDenied
        try:
            row = act(batch=row, by=request.user, request=request)
            messages.success(request, done)
            if row.state == BatchState.WAITING:
                run_batch.enqueue(row.pk)
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))

    def result(self, request, batch, form):
        """Every line with what became of it."""
        row = self.fetch(request, str(batch))
        if not request.user.has_perm("contracts.export_agreement"):
            raise PermissionDenied
        if form not in spreadsheets.FORMS:  # before the trail says that it went out
            raise Http404
        detail = {"what": "batch", "form": form, "rows": row.lines_total}
        audit.record(Act.EXPORT, request=request, obj=row, detail=detail)
        return spreadsheets.answer("batch", form, HEADINGS, _sheet(row))


HEADINGS = [
    gettext_lazy("row"), gettext_lazy("agreement"), gettext_lazy("old number"), gettext_lazy("resident"),
    gettext_lazy("state"), gettext_lazy("new agreement"), gettext_lazy("result"),
]  # fmt: skip


def _title(batch):
    return f"{batch.get_kind_display()} · {timezone.localtime(batch.made_at):%Y-%m-%d %H:%M}"


def _waiting(batch):
    return max(batch.lines_total - batch.lines_done - batch.lines_refused, 0)


def _reasons(batch):
    """[(sentence, how many)] of what was refused, the most frequent first."""
    refused = BatchLine.objects.filter(batch=batch, state=LineState.REFUSED)
    counted = refused.values_list("result").annotate(count=Count("pk")).order_by("-count", "result")
    return list(counted[:REASONS])


def _page(request, batch, state):
    """The lines after the one the address names, and the last of them where there are more."""
    rows = BatchLine.objects.filter(batch=batch, state=state).order_by("row")
    if text := request.GET.get("after"):
        if not text.isdecimal() or len(text) > 9:
            raise Http404
        rows = rows.filter(row__gt=int(text))
    found = list(rows.select_related("agreement", "resident", "made")[: SIZE + 1])
    return found[:SIZE], found[SIZE - 1].row if len(found) > SIZE else None


def _sheet(batch):
    rows = (
        BatchLine.objects.filter(batch=batch).select_related("agreement", "resident", "made").order_by("row")
    )
    for line in rows.iterator(chunk_size=2000):
        yield [
            line.row, line.agreement.number if line.agreement else "", line.data.get("foreign_number", ""),
            line.resident.name if line.resident else "", line.get_state_display(),
            line.made.number if line.made else "", line.result,
        ]  # fmt: skip
