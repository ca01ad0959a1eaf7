"""Where the centre's medical administration decides on changes to signed notes, and sees what was corrected."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.admin.base import CappedPaginator, DeskList, ReadOnlyAdmin
from clinic.registry import DeskTile
from emr import prescribing
from emr.actions import change_requests as actions
from emr.codes import ChangeKind, RequestState
from emr.drafting import fields
from emr.models import ChangeRequest, Correction, Encounter
from emr.signed import archive, reading
from emr.views.refusing import attempt

RIGHT = "emr.approve_archive_change"


class StateFilter(admin.SimpleListFilter):
    """Those that wait, unless another state is chosen."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [(state.value, state.label) for state in RequestState if state != RequestState.WAITING]

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        yield {**every, "display": RequestState.WAITING.label}
        yield from others

    def queryset(self, request, queryset):
        return queryset.filter(state=self.value() or RequestState.WAITING)


class DecisionForm(forms.Form):
    answer = forms.CharField(
        label=gettext_lazy("answer"), required=False, max_length=actions.ANSWER_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
    )  # fmt: skip


class AdministrationDesk(ReadOnlyAdmin):
    """Rows of notes of the administration's own institutions."""

    paginator = CappedPaginator
    sortable_by = ()
    actions = None

    def get_queryset(self, request):
        here = Encounter.objects.in_scope(request.user)
        return super().get_queryset(request).filter(note__encounter__in=here.values("pk"))

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm(RIGHT)

    def has_module_permission(self, request):
        return request.user.has_perm(RIGHT)

    def resident_of(self, obj):
        return obj.note.encounter.resident

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, row):
        return row.note.encounter.resident.name

    @admin.display(description=gettext_lazy("institution"))
    def place(self, row):
        return row.note.encounter.institution.short_name

    @admin.display(description=gettext_lazy("visit"))
    def visit(self, row):
        return f"{timezone.localtime(row.note.encounter.arrived_at):%Y-%m-%d %H:%M}"


@admin.register(ChangeRequest)
class ChangeRequestAdmin(AdministrationDesk):
    list_display = [
        "asked", "resident_name", "visit", "place", "kind_label", "requested_by", "state_label", "decided_by",
    ]  # fmt: skip
    list_filter = [StateFilter]
    list_select_related = [
        "note__encounter__resident",
        "note__encounter__institution",
        "requested_by",
        "decided_by",
    ]
    ordering = ["requested_at"]

    @admin.display(description=gettext_lazy("requested at"))
    def asked(self, row):
        return f"{timezone.localtime(row.requested_at):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("kind"))
    def kind_label(self, row):
        return row.get_kind_display()

    @admin.display(description=gettext_lazy("state"))
    def state_label(self, row):
        return row.get_state_display()

    def get_urls(self):
        decide = path(
            "<uuid:change_request>/decide/",
            self.admin_site.admin_view(self.decide),
            name="emr_changerequest_decide",
        )
        return [decide, *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The text in force, the reason, and the decision."""
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        return self._page(request, row, DecisionForm())

    def decide(self, request, change_request):
        row = self.fetch(request, str(change_request))
        form = DecisionForm(request.POST)
        if request.method != "POST" or request.POST.get("decision") not in ("approve", "refuse"):
            raise PermissionDenied
        if not form.is_valid():
            return self._page(request, row, form, 400)
        approve = request.POST["decision"] == "approve"
        _row, refusal = attempt(
            request,
            row.note,
            lambda: actions.decide(
                change_request=row, by=request.user, approve=approve, request=request, **form.cleaned_data
            ),
        )
        if refusal:
            form.add_error(None, refusal.message)
            row.refresh_from_db()
            return self._page(request, row, form, refusal.status)
        messages.success(request, _("Approved.") if approve else _("Refused."))
        return HttpResponseRedirect(self.list_address())

    def _page(self, request, row, form, status=200):
        note = row.note
        self.seen(request, row)
        context = {
            **self.admin_site.each_context(request), "title": _("Request for a change"), "opts": self.opts,
            "asked": row, "note": note, "encounter": note.encounter, "resident": note.encounter.resident,
            "form": form, "waits": row.state == RequestState.WAITING, "is_undo": row.kind == ChangeKind.UNDO,
            "ends": archive.leave_ends(row) if row.state == RequestState.APPROVED else None,
            **reading.of(note, request.user),
        }  # fmt: skip
        context["vitals"] = fields.readable_vitals(note.vitals)
        context["medications"] = prescribing.readable(note.medications)
        return TemplateResponse(request, "admin/emr/change_request.html", context, status=status)


class VersionsList(DeskList):
    """A correction is read among its note's versions."""

    def url_for_result(self, result):
        return reverse("versions", args=[result.note.encounter.uuid])


@admin.register(Correction)
class CorrectionAdmin(AdministrationDesk):
    list_display = ["signed", "resident_name", "visit", "place", "what", "reason", "signer", "saved_versions"]
    list_select_related = ["note__encounter__resident", "note__encounter__institution"]
    ordering = ["-signed_at"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(signed_at__isnull=False)

    def get_changelist(self, request, **kwargs):
        return VersionsList

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return HttpResponseRedirect(
            reverse("versions", args=[self.fetch(request, object_id).note.encounter.uuid])
        )

    @admin.display(description=gettext_lazy("signed at"))
    def signed(self, row):
        return f"{timezone.localtime(row.signed_at):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("kind"))
    def what(self, row):
        return _("VOID") if row.void else row.get_kind_display()

    @admin.display(description="")
    def saved_versions(self, row):
        return format_html('<a href="{}">{}</a>', self.address_of(row, "history"), _("Changes"))


registry.desk_tiles += [
    DeskTile("admin:emr_changerequest_changelist", gettext_lazy("Requests for a change"), gettext_lazy("Archived notes and signatures given in error"), (RIGHT,), order=22),
    DeskTile("admin:emr_correction_changelist", gettext_lazy("Corrections"), gettext_lazy("What was changed after signing"), (RIGHT,), order=45),
]  # fmt: skip
