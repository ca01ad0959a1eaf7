"""The audit trail for auditors and managers: read, filtered, exported. Reading it for export is audited too."""

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from clinic import audit, spreadsheets
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, TextFilter, ToDay
from clinic.codes import Act, Role
from clinic.models import AuditEntry

EXPORTED = 100_000
FACTS = {
    "rows": _("rows"), "what": _("what"), "field": _("field"), "fields": _("fields"), "before": _("before"),
    "after": _("after"), "page": _("page"), "path": _("page"), "method": _("method"), "until": _("until"),
    "survivor": _("stays"), "absorbed": _("is absorbed"), "account": _("account"),
    "version": _("version"), "hints": _("hints shown"), "code": _("cause"), "format": _("paper"),
    "number": _("number"), "visits": _("visits"), "pages": _("pages"), "sha256": _("hash"), "way": _("way"),
}  # fmt: skip
# Reasons that the house itself writes; a person's are shown as they were typed.
REASONS = {
    "start": _("visit begun"), "hold": _("set aside"), "password": _("wrong password at signing"),
    "set": _("password set by the administrator"), "changed": _("own password changed"),
    "second factor removed": _("second factor removed"), "second factor set up": _("second factor set up"),
    "second factor": _("wrong second factor"), "unknown account": _("unknown account"), "idle": _("idle too long"),
}  # fmt: skip
WORDS = {
    "previous": _("previous visits"),
    "vitals": _("vital signs"),
    "merge": _("merge"),
    "residents": _("residents"),
    "audit": _("audit trail"),
    "papers": _("copies and sealing"),
    "copies": _("copies and sealing"),
    "sealing": _("copies and sealing"),
    "retention": _("files whose keeping time ends"),
    "print": _("print"),
    "file": _("file"),
    **dict(Role.choices),
}


class PathFilter(InstitutionFilter):
    path = "institution_path"


class PersonFilter(TextFilter):
    title = _("account or person")
    parameter_name = "who"

    def queryset(self, request, queryset):
        who = (self.value() or "").strip()
        return queryset.filter(username=who) | queryset.filter(person=who) if who else queryset


class ResidentFilter(TextFilter):
    """By name, or by the public id from the resident's page."""

    title = _("resident")
    parameter_name = "resident"

    def queryset(self, request, queryset):
        whom = (self.value() or "").strip()
        return queryset.filter(resident=whom) | queryset.filter(resident_name=whom) if whom else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    addressed = False
    paginator = CappedPaginator
    list_display = [
        "when", "act", "person", "role_label", "institution", "resident_name", "what", "why", "facts", "address",
    ]  # fmt: skip
    list_filter = [FromDay, ToDay, "act", PersonFilter, PathFilter, ResidentFilter]
    search_fields = ["=request_id", "=object_id", "=address", "reason"]
    search_help_text = _("Request number, object, address, or a word of the reason")
    sortable_by = ()
    change_list_template = "admin/clinic/audit_list.html"
    actions = None

    @admin.display(description=_("time"))
    def when(self, entry):
        return timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S")

    @admin.display(description=_("role"))
    def role_label(self, entry):
        return role_label(entry)

    @admin.display(description=_("object"))
    def what(self, entry):
        return kind(entry)

    @admin.display(description=_("reason"))
    def why(self, entry):
        return reason(entry)

    @admin.display(description=_("detail"))
    def facts(self, entry):
        return facts(entry)

    def get_urls(self):
        export = path(
            "export/<str:form>/", self.admin_site.admin_view(self.export), name="clinic_auditentry_export"
        )
        return [export, *super().get_urls()]

    def export(self, request, form):
        """The list as filtered, newest first."""
        if not request.user.has_perm("clinic.export_auditentry"):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request).order_by("-pk")
        count = rows[: EXPORTED + 1].count()
        if count > EXPORTED:
            text = ngettext(
                "More than %(n)d entry: please narrow the time.", "More than %(n)d entries: please narrow the time.",
                EXPORTED,
            )  # fmt: skip
            messages.error(request, text % {"n": EXPORTED})
            return HttpResponseRedirect(
                f"{reverse('admin:clinic_auditentry_changelist')}?{request.GET.urlencode()}"
            )
        audit.record(Act.EXPORT, request=request, detail={"what": "audit", "rows": count})
        lines = (line(entry) for entry in rows.iterator(chunk_size=2000))
        return spreadsheets.answer("audit", form, HEADINGS, lines)


HEADINGS = [
    _("time"), _("act"), _("account"), _("person"), _("role"), _("institution"), _("resident"), _("resident's id"),
    _("kind of object"), _("object"), _("reason"), _("detail"), _("address"), _("request"),
]  # fmt: skip


def line(entry):
    return [
        timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S"), entry.get_act_display(), entry.username,
        entry.person, role_label(entry), entry.institution, entry.resident_name, entry.resident, kind(entry),
        entry.object_id, reason(entry), facts(entry), entry.address, entry.request_id,
    ]  # fmt: skip


def role_label(entry):
    return Role(entry.role).label if entry.role in Role.values else entry.role


def model_of(entry):
    try:
        return apps.get_model(entry.object_type)
    except (LookupError, ValueError):
        return None


def kind(entry):
    model = model_of(entry)
    return str(model._meta.verbose_name) if model else entry.object_type


def reason(entry):
    return str(REASONS.get(entry.reason, entry.reason))


def facts(entry):
    """The plain facts of an act, in the words of the forms."""
    model = model_of(entry)
    return "; ".join(
        f"{FACTS.get(name, name)}: {_said(value, model)}" for name, value in entry.detail.items()
    )


def _said(value, model):
    if isinstance(value, list):
        return "、".join(_said(part, model) for part in value)
    try:
        return str(model._meta.get_field(value).verbose_name)
    except (AttributeError, FieldDoesNotExist, TypeError):
        return str(WORDS.get(value, value)) if isinstance(value, str) else str(value)
