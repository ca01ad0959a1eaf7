"""Teams at the desk: who belongs to them, where they serve, how full they are."""

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import Http404, HttpResponseRedirect
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin.base import CappedPaginator, DeskAdmin, DeskForm
from clinic.admin.filters import InstitutionFilter
from clinic.errors import Refused
from clinic.models import Community, Institution
from clinic.registry import DeskTile
from contracts import load
from contracts.actions import teams as actions
from contracts.codes import TeamRole
from contracts.forms.desk_acts import Day
from contracts.models import Team, TeamMember
from contracts.teams import lacking


class TeamForm(DeskForm):
    served = forms.ModelMultipleChoiceField(
        Community.objects.none(), label=gettext_lazy("service area"), required=False, to_field_name="uuid",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    class Meta:
        model = Team
        fields = ["institution", "name", "phone", "cap", "note", "active"]
        help_texts = {"cap": gettext_lazy("Empty: as the signing practice of its institution says.")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # Where the team is, and what is served from there already.
        known = self.instance.pk and self.instance.institution
        rows = Community.objects.select_related("institution").order_by("code")
        self.fields["served"].queryset = (
            rows.filter(institution__path__startswith=self._around(known)) if known else rows.filter(institution__path__startswith=self.reach)
        )  # fmt: skip
        if self.instance.pk:
            self.initial["served"] = [area.uuid for area in self.instance.areas.all()]

    reach = "/"

    def _around(self, institution):
        """The neighbourhoods of its centre: stations share."""
        parent = institution.parent
        return parent.path if parent is not None and institution.is_leaf else institution.path


class MemberForm(forms.Form):
    person = forms.ModelChoiceField(
        get_user_model().objects.none(),
        label=gettext_lazy("staff member"),
        required=False,
        to_field_name="uuid",
    )
    name = forms.CharField(label=gettext_lazy("or somebody from outside"), max_length=60, required=False)
    phone = forms.CharField(label=gettext_lazy("phone"), max_length=30, required=False)
    role = forms.ChoiceField(label=gettext_lazy("role in the team"), choices=TeamRole.choices)
    since = forms.DateField(label=gettext_lazy("since"), widget=Day)

    def __init__(self, *args, user, team, **kwargs):
        super().__init__(*args, **kwargs)
        people = get_user_model().objects.visible_to(user).filter(is_active=True)
        around = (
            team.institution.parent
            if team.institution.is_leaf and team.institution.parent_id
            else team.institution
        )
        self.fields["person"].queryset = people.filter(institution__path__startswith=around.path).order_by(
            "role", "name"
        )
        self.fields["person"].label_from_instance = lambda one: f"{one.name} · {one.get_role_display()}"
        self.fields["since"].initial = timezone.localdate


@admin.register(Team)
class TeamAdmin(DeskAdmin):
    form = TeamForm
    paginator = CappedPaginator
    list_display = ["name", "institution", "leader", "load_bar", "phone", "missing", "active"]
    list_filter = ["active", InstitutionFilter]
    list_select_related = ["institution__parent"]
    search_fields = ["name", "members__person__name"]
    search_help_text = gettext_lazy("The team's name, or a member's")
    sortable_by = ()
    ordering = ["institution__path", "name"]
    actions = None
    fields = ["institution", "name", "phone", "served", "cap", "note", "active"]
    change_form_template = "admin/contracts/team.html"

    def get_readonly_fields(self, request, obj=None):
        return ["institution"] if obj else []

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("contracts.change_team")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("institution__parent")

    def get_changelist_instance(self, request):
        """Loads, leaders and who is missing of the page's rows, in one query each."""
        shown = super().get_changelist_instance(request)
        rows = list(shown.result_list)
        ids = [row.pk for row in rows]
        loads, missing = load.of_teams(rows), lacking(ids)
        leaders = TeamMember.objects.on().filter(team__in=ids, role=TeamRole.LEADER).select_related("person")
        leaders = {member.team_id: member.person.name for member in leaders}
        for row in rows:
            row.load, row.lacks, row.led_by = loads[row.pk], missing[row.pk], leaders.get(row.pk, "")
        shown.result_list = rows
        return shown

    @admin.display(description=gettext_lazy("leader"))
    def leader(self, row):
        return row.led_by or "—"

    @admin.display(description=gettext_lazy("signed of the cap"))
    def load_bar(self, row):
        return format_html(
            '<span class="load{}"><meter min="0" max="{}" value="{}" aria-hidden="true"></meter> {} / {}</span>',
            " load-full" if row.load.full else " load-warn" if row.load.warn else "",
            row.load.cap, min(row.load.signed, row.load.cap), row.load.signed, row.load.cap,
        )  # fmt: skip

    @admin.display(description=gettext_lazy("missing"))
    def missing(self, row):
        return " ".join(row.lacks)

    # The form -------------------------------------------------------------------------------------

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.reach = request.user.institution.path
        return form

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        return {"institution": request.user.institution.uuid, "phone": request.user.institution.phone}

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        fields = {name: data[name] for name in actions.FIELDS}
        kept = actions.keep(
            institution=obj.institution, areas=list(data["served"]), by=request.user, team=obj if change else None,
            request=request, **fields,
        )  # fmt: skip
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            members = obj.members.select_related("person").order_by(F("until").desc(nulls_first=True), "pk")
            context |= {
                "members": members, "lacks": lacking([obj.pk])[obj.pk], "load": load.of_teams([obj])[obj.pk],
                "doctors": load.of_doctors(obj), "today": timezone.localdate(),
                "member_form": getattr(request, "member_form", None) or MemberForm(user=request.user, team=obj),
                "may": self.has_change_permission(request, obj),
            }  # fmt: skip
        return super().render_change_form(request, context, add, change, form_url, obj)

    # Members --------------------------------------------------------------------------------------

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"contracts_team_{name}")

        return [
            page("<public_id:object_id>/join/", self.join, "join"),
            page("<public_id:object_id>/leave/<uuid:member>/", self.leave, "leave"),
            *super().get_urls(),
        ]

    def join(self, request, object_id):
        team = self._writable(request, object_id)
        form = MemberForm(request.POST, user=request.user, team=team)
        if form.is_valid():
            try:
                actions.add_member(team=team, by=request.user, request=request, **form.cleaned_data)
                return HttpResponseRedirect(self.address_of(team))
            except Refused as refusal:
                field = refusal.facts.get("field")
                form.add_error(field if field in form.fields else None, refusal.message)
        request.member_form, request.method = form, "GET"
        return self.change_view(request, object_id)

    def leave(self, request, object_id, member):
        team = self._writable(request, object_id)
        row = team.members.filter(uuid=member).select_related("team__institution").first()
        if row is None:
            raise Http404
        try:
            left = actions.left_behind(row)
            actions.end_member(member=row, by=request.user, request=request)
            if left:
                self.message_user(
                    request, _("%(count)d agreements still name this doctor: give them to another one.") % {"count": left},
                    level="warning",
                )  # fmt: skip
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(team))

    def _writable(self, request, object_id):
        team = self.fetch(request, object_id)
        if request.method != "POST" or not self.has_change_permission(request, team):
            raise PermissionDenied
        return team


registry.desk_tiles.append(
    DeskTile(
        "admin:contracts_team_changelist", gettext_lazy("Family-doctor teams"), gettext_lazy("Members, areas, how full they are"),
        ("contracts.change_team",), order=35,
    )
)  # fmt: skip
