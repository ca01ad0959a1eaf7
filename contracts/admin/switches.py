"""Changes of team at the desk: who asks, and the old team's side that decides with a reason."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from clinic import refusals
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.errors import Refused
from contracts.actions import switches as actions
from contracts.codes import SwitchState
from contracts.forms.desk_acts import AgreeForm, DecideForm, KeyForm
from contracts.models import SwitchRequest

DECIDE, ASK = "contracts.decide_switchrequest", "contracts.add_switchrequest"
ACTS = {"agree": (DECIDE, AgreeForm), "refuse": (DECIDE, DecideForm), "withdraw": (ASK, KeyForm)}


class SideFilter(admin.SimpleListFilter):
    """Which side one is on: the one that decides, or the one that asks."""

    title = gettext_lazy("side")
    parameter_name = "side"

    def lookups(self, request, model_admin):
        return [("out", gettext_lazy("from our teams")), ("in", gettext_lazy("to our teams"))]

    def queryset(self, request, queryset):
        fields = {"out": "agreement__institution__path", "in": "to_team__institution__path"}
        if self.value() not in fields:
            return queryset
        return queryset.filter(**{f"{fields[self.value()]}__startswith": request.user.institution.path})


@admin.register(SwitchRequest)
class SwitchAdmin(ReadOnlyAdmin):
    paginator = CappedPaginator
    list_display = ["asked", "resident", "from_team", "goes_to", "state", "reason", "decision_reason"]
    list_filter = ["state", SideFilter]
    ordering = ["-asked_at", "-pk"]
    sortable_by = ()
    actions = None

    def get_queryset(self, request):
        return super().get_queryset(request).select_related(
            "agreement__resident__home", "agreement__team__institution", "agreement__doctor", "agreement__institution",
            "to_team__institution", "to_doctor", "asked_by__institution", "decided_by", "made",
        )  # fmt: skip

    def resident_of(self, obj):
        return obj.agreement.resident

    @admin.display(description=gettext_lazy("asked at"))
    def asked(self, switch):
        return f"{timezone.localtime(switch.asked_at):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("resident"))
    def resident(self, switch):
        return switch.agreement.resident.name

    @admin.display(description=gettext_lazy("from team"))
    def from_team(self, switch):
        return f"{switch.agreement.institution.short_name} {switch.agreement.team.name}"

    @admin.display(description=gettext_lazy("to team"))
    def goes_to(self, switch):
        return f"{switch.to_team.institution.short_name} {switch.to_team.name}"

    # Pages ----------------------------------------------------------------------------------------

    def get_urls(self):
        view = self.admin_site.admin_view(self.act)
        return [
            path("<uuid:switch>/act/<slug:name>/", view, name="contracts_switchrequest_act"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The wish, and the forms to decide it where that is this person's."""
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        self.seen(request, row)
        return self._page(request, row, {})

    def act(self, request, switch, name):
        row = self.fetch(request, str(switch))
        if name not in ACTS:
            raise Http404
        right, form_class = ACTS[name]
        if request.method != "POST" or not request.user.has_perm(right):
            raise PermissionDenied
        form = form_class(request.POST, request.FILES, prefix=name)
        if not form.is_valid():
            return self._page(request, row, {name: form}, 400)
        try:
            self._do(request, row, name, form)
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))

    def _do(self, request, row, name, form):
        given = {"switch": row, "by": request.user, "request": request}
        if name == "agree":
            text = actions.text_for(row.to_team, timezone.localdate())
            made = actions.agree(**given, text=text, key=form.cleaned_data["key"], **form.given()).made
            messages.success(request, _("Agreed. The new agreement is %(number)s.") % {"number": made.number})
        elif name == "refuse":
            actions.refuse(**given, **form.given())
            messages.success(request, pgettext("switch", "Refused."))
        else:
            actions.withdraw(**given)
            messages.success(request, pgettext("switch", "Withdrawn."))

    def _page(self, request, row, forms, status=200):
        reach = request.user.institution.path
        is_open = row.state == SwitchState.ASKED
        decides = (
            is_open and request.user.has_perm(DECIDE) and row.agreement.institution.path.startswith(reach)
        )
        names = [
            *(["agree", "refuse"] if decides else []),
            *(
                ["withdraw"]
                if is_open and request.user.has_perm(ASK) and actions.is_asking(row, request.user)
                else []
            ),
        ]
        made = {
            name: forms.get(name) or ACTS[name][1](prefix=name, initial={"key": uuid.uuid4()})
            for name in names
        }
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "switch": row, "forms": made,
            "title": _("Change of team: %(name)s") % {"name": row.agreement.resident.name},
        }  # fmt: skip
        return TemplateResponse(request, "admin/contracts/switch.html", context, status=status)
