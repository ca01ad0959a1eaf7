"""Service packages at the desk: versions that are written, published, and never change again."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.admin.filters import InstitutionFilter
from clinic.errors import Refused
from clinic.models import Institution
from clinic.registry import DeskTile
from contracts.actions import packages as actions
from contracts.codes import EvidenceKind, Group, Period, ServiceKind
from contracts.models import Package, PackageVersion

# Whom a package can be for: everybody is no group.
GROUPS = [(group.value, group.label) for group in Group if group not in (Group.ALL, Group.KEY)]
PROPOSING = [(kind.value, kind.label) for kind in EvidenceKind if kind != EvidenceKind.BY_HAND]


class GroupsField(forms.MultipleChoiceField):
    def __init__(self, **kwargs):
        super().__init__(
            choices=GROUPS, required=False, label=gettext_lazy("key populations"),
            help_text=gettext_lazy("Any of them; none ticked: everybody."), widget=forms.CheckboxSelectMultiple, **kwargs,
        )  # fmt: skip


class PackageForm(DeskForm):
    class Meta:
        model = Package
        fields = ["institution", "code", "name", "kind", "active"]


class VersionForm(forms.ModelForm):
    groups = GroupsField()

    class Meta:
        model = PackageVersion
        fields = [
            "valid_from", "valid_to", "price", "waiver", "waiver_note", "age_from", "age_to", "sex", "groups", "description",
        ]  # fmt: skip
        widgets = {
            "valid_from": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "valid_to": forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            "description": forms.Textarea({"rows": 2}),
        }


class ItemForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("name"), max_length=60)
    service = forms.ChoiceField(label=gettext_lazy("kind of service"), choices=ServiceKind.choices)
    times = forms.IntegerField(label=gettext_lazy("times"), min_value=1, max_value=366, initial=1)
    period = forms.ChoiceField(label=gettext_lazy("in"), choices=Period.choices, initial=Period.YEAR)
    evidence = forms.MultipleChoiceField(
        label=gettext_lazy("evidence that proposes itself"), choices=PROPOSING, required=False,
        widget=forms.CheckboxSelectMultiple({"class": "package-boxes"}),
    )  # fmt: skip


@admin.register(Package)
class PackageAdmin(DeskAdmin):
    form = PackageForm
    list_display = ["name", "code", "kind", "institution", "in_force", "active"]
    list_filter = ["kind", "active", InstitutionFilter]
    list_select_related = ["institution"]
    search_fields = ["name", "code"]
    search_help_text = gettext_lazy("Name or code")
    sortable_by = ()
    ordering = ["kind", "code"]
    actions = None
    fields = ["institution", "code", "name", "kind", "active"]
    change_form_template = "admin/contracts/package.html"

    def get_readonly_fields(self, request, obj=None):
        return ["institution"] if obj else []

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("institution")
        return rows.prefetch_related("versions")

    def has_change_permission(self, request, obj=None):
        """Those of institutions above are used below and written there."""
        allowed = request.user.has_perm("contracts.change_package")
        return allowed and (obj is None or obj.institution.path.startswith(request.user.institution.path))

    @admin.display(description=gettext_lazy("version"))
    def in_force(self, row):
        published = [version for version in row.versions.all() if version.is_published]
        draft = any(not version.is_published for version in row.versions.all())
        shown = f"v{published[0].number}" if published else "—"
        return _("%(version)s, the next one is being written") % {"version": shown} if draft else shown

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        return {"institution": request.user.institution.uuid}

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        kept = actions.keep_package(
            institution=obj.institution, by=request.user, package=obj if change else None, request=request,
            **{name: data[name] for name in ("code", "name", "kind", "active")},
        )  # fmt: skip
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context |= {"versions": obj.versions.all(), "may": self.has_change_permission(request, obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Versions -------------------------------------------------------------------------------------

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"contracts_package_{name}")

        return [
            page("<public_id:object_id>/new-version/", self.new_version, "new_version"),
            page("version/<uuid:version>/", self.version, "version"),
            page("version/<uuid:version>/add/", self.add_item, "add_item"),
            page("version/<uuid:version>/drop/<uuid:item>/", self.drop_item, "drop_item"),
            page("version/<uuid:version>/publish/", self.publish, "publish"),
            *super().get_urls(),
        ]

    def new_version(self, request, object_id):
        package = self.fetch(request, object_id)
        if request.method != "POST" or not self.has_change_permission(request, package):
            raise PermissionDenied
        made = actions.new_version(package=package, by=request.user, request=request)
        return HttpResponseRedirect(_version_address(made))

    def version(self, request, version):
        """What it holds; while it is being written, the forms to write it."""
        row = self._version(request, version)
        form = VersionForm(request.POST or None, instance=row)
        if request.method == "POST":
            self._writable(request, row)
            if form.is_valid() and self._tried(
                request,
                form,
                lambda: actions.keep_version(
                    version=row, by=request.user, request=request, **form.cleaned_data
                ),
            ):
                self.message_user(request, _("Saved."), level="success")
                return HttpResponseRedirect(_version_address(row))
        return self._page(request, row, form, ItemForm())

    def add_item(self, request, version):
        row = self._version(request, version)
        self._writable(request, row)
        form = ItemForm(request.POST)
        if form.is_valid() and self._tried(
            request,
            form,
            lambda: actions.add_item(version=row, by=request.user, request=request, **form.cleaned_data),
        ):
            return HttpResponseRedirect(_version_address(row) + "#items")
        return self._page(request, row, VersionForm(instance=row), form)

    def drop_item(self, request, version, item):
        row = self._version(request, version)
        self._writable(request, row)
        found = row.items.filter(uuid=item).first()
        if found is None:
            raise Http404
        try:
            actions.drop_item(item=found, by=request.user, request=request)
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(_version_address(row) + "#items")

    def publish(self, request, version):
        row = self._version(request, version)
        self._writable(request, row, "contracts.publish_package")
        try:
            actions.publish_version(version=row, by=request.user, request=request)
            self.message_user(
                request, _("Published. It can be signed from its first day on."), level="success"
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(_version_address(row))

    def _version(self, request, version):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        rows = PackageVersion.objects.visible_to(request.user).select_related(
            "package__institution", "published_by"
        )
        row = rows.filter(uuid=version).first()
        if row is None:
            raise Http404
        return row

    def _writable(self, request, row, right="contracts.change_package"):
        may = self.has_change_permission(request, row.package) and request.user.has_perm(right)
        if request.method != "POST" or not may:
            raise PermissionDenied

    def _tried(self, request, form, act):
        try:
            act()
        except Refused as refusal:
            field = refusal.facts.get("field")
            if field in form.fields:
                form.add_error(field, refusal.message)
            else:  # the form may be gone by now, the sentence must not
                refusals.tell(request, refusal)
            return False
        return True

    def _page(self, request, row, form, item_form):
        may = self.has_change_permission(request, row.package) and not row.is_published
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(row), "version": row, "form": form,
            "item_form": item_form, "items": row.items.all(), "may": may, "package": row.package,
            "may_publish": may and request.user.has_perm("contracts.publish_package"),
            "groups": [label for code, label in GROUPS if code in row.groups],
            "before": row.package.versions.filter(published_at__isnull=False).exclude(pk=row.pk).first(),
        }  # fmt: skip
        return TemplateResponse(request, "admin/contracts/package_version.html", context)


def _version_address(version):
    return reverse("admin:contracts_package_version", args=(version.uuid,))


registry.desk_tiles.append(
    DeskTile(
        "admin:contracts_package_changelist", gettext_lazy("Service packages"),
        gettext_lazy("What is promised, in versions that stay"), ("contracts.change_package",), order=36,
    )
)  # fmt: skip
