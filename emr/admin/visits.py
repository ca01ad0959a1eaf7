"""The station desk's waiting list, without a word of clinical text."""

import uuid
from datetime import datetime, time, timedelta

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin import foreign
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.errors import Refused
from clinic.models import Resident, User
from clinic.registry import DeskTile, ResidentButton
from emr.actions import visits as actions
from emr.codes import EncounterStatus
from emr.models import Encounter


class DayFilter(admin.SimpleListFilter):
    """Today unless asked otherwise."""

    title = gettext_lazy("day")
    parameter_name = "day"
    DAYS = {"yesterday": 1, "week": 7, "month": 31}

    def lookups(self, request, model_admin):
        return [
            ("yesterday", gettext_lazy("yesterday")),
            ("week", gettext_lazy("last 7 days")),
            ("month", gettext_lazy("last 31 days")),
        ]

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        yield {**every, "display": _("today")}
        yield from others

    def queryset(self, request, queryset):
        today = timezone.localdate()
        if self.value() not in self.DAYS:
            return queryset.on_day(today)
        if self.value() == "yesterday":
            return queryset.on_day(today - timedelta(days=1))
        begin = datetime.combine(today - timedelta(days=self.DAYS[self.value()] - 1), time.min)
        return queryset.filter(arrived_at__gte=timezone.make_aware(begin))


class CheckInForm(forms.Form):
    doctor = forms.ModelChoiceField(
        label=gettext_lazy("doctor"),
        queryset=User.objects.none(),
        to_field_name="uuid",
        required=False,
        empty_label=gettext_lazy("any doctor of the station"),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, institution, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["doctor"].queryset = User.objects.doctors_of(institution)


class CancelForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=200)


@admin.register(Encounter)
class WaitingListAdmin(ReadOnlyAdmin):
    list_display = [
        "arrived",
        "resident_name",
        "status_label",
        "waited",
        "doctor",
        "department",
        "institution",
        "acts",
    ]
    list_display_links = ["arrived"]
    list_filter = [DayFilter, "status", InstitutionFilter]
    list_select_related = ["resident", "doctor", "institution"]
    ordering = ["arrived_at"]
    sortable_by = ()
    paginator = CappedPaginator
    actions = None
    fields = [
        "resident_name", "institution", "department", "doctor", "status", "arrived_at", "started_at", "finished_at",
        "checked_in_by", "cancel_reason", "cancelled_by",
    ]  # fmt: skip
    readonly_fields = ["resident_name"]
    change_list_template = "admin/emr/waiting_list.html"
    change_form_template = "admin/emr/visit_form.html"
    history_hidden = frozenset({"hold_reason", "key"})  # a doctor's words

    def get_queryset(self, request):
        """The list of the own place; what one's residents do elsewhere is no reception's matter."""
        return Encounter.objects.in_scope(request.user)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": _("Waiting list"), **(extra_context or {})})

    def has_module_permission(self, request):
        return request.user.has_perm("emr.view_encounter")

    def resident_of(self, obj):
        return obj.resident

    @admin.display(description=gettext_lazy("arrived at"))
    def arrived(self, visit):
        return timezone.localtime(visit.arrived_at).strftime("%m-%d %H:%M")

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, visit):
        resident = visit.resident
        return f"{resident.name} · {resident.get_sex_display()} · {resident.age_text}"

    @admin.display(description=gettext_lazy("status"))
    def status_label(self, visit):
        return visit.get_status_display()

    @admin.display(description=gettext_lazy("waited"))
    def waited(self, visit):
        if not visit.is_open and visit.started_at is None:
            return "—"
        return _("%(n)d min") % {"n": visit.waiting_minutes(timezone.now())}

    @admin.display(description="")
    def acts(self, visit):
        if visit.status != EncounterStatus.WAITING:
            return ""
        return format_html(
            '<a class="desk-button" href="{}">{}</a>', self.address_of(visit, "cancel"), _("Cancel")
        )

    def get_urls(self):
        page = self.admin_site.admin_view
        return [
            path("check-in/<uuid:resident>/", page(self.check_in), name="emr_encounter_check_in"),
            path("choose/<uuid:resident>/", page(self.choose), name="emr_encounter_choose"),
            path("<uuid:visit>/cancel/", page(self.cancel), name="emr_encounter_cancel"),
            *super().get_urls(),
        ]

    def arrival(self, request, key):
        """The resident who came: one's own, or another institution's found by an exact number."""
        if not request.user.has_perm("emr.check_in"):
            raise PermissionDenied
        own = Resident.objects.visible_to(request.user).filter(uuid=key).first()
        if own is None and foreign.is_good(request, key):
            own = Resident.objects.filter(uuid=key).first()
        if own is None:
            raise Http404
        return own

    def check_in(self, request, resident):
        """One click. The page's key comes with it, so that two clicks make one visit."""
        person = self.arrival(request, resident)
        if request.method != "POST":
            raise PermissionDenied
        form = CheckInForm(request.POST, institution=request.user.institution)
        if not form.is_valid():
            messages.error(request, _("The page is out of date. Please load it again."))
            return HttpResponseRedirect(self.list_address())
        try:
            actions.check_in(
                resident=person, institution=request.user.institution, doctor=form.cleaned_data["doctor"],
                key=form.cleaned_data["key"], by=request.user, request=request,
            )  # fmt: skip
            messages.success(request, _("%(name)s is on the waiting list.") % {"name": person.name})
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(back_to(request, self.list_address()))

    def choose(self, request, resident):
        person = self.arrival(request, resident)
        context = {
            **self.admin_site.each_context(request), "title": _("Check in"), "subtitle": str(person),
            "opts": self.opts, "person": person, "token": request.GET.get("token", ""),
            "form": CheckInForm(initial={"key": uuid.uuid4()}, institution=request.user.institution),
        }  # fmt: skip
        return TemplateResponse(request, "admin/emr/choose_doctor.html", context)

    def cancel(self, request, visit):
        encounter = self.fetch(request, str(visit))
        if not request.user.has_perm("emr.cancel_encounter"):
            raise PermissionDenied
        form = CancelForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                actions.cancel(
                    encounter=encounter, reason=form.cleaned_data["reason"], by=request.user, request=request
                )
                messages.success(request, _("The visit is cancelled."))
                return HttpResponseRedirect(self.list_address())
            except Refused as refusal:
                form.add_error(None, refusal.message)
        context = {
            **self.admin_site.each_context(request), "title": _("Cancel the visit"),
            "subtitle": str(encounter.resident), "opts": self.opts, "visit": encounter, "form": form,
        }  # fmt: skip
        return TemplateResponse(request, "admin/emr/cancel.html", context)


def back_to(request, fallback):
    """The page that the click came from, if it is ours."""
    page = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return page if ours and "/choose/" not in page else fallback


registry.desk_tiles += [
    DeskTile("admin:emr_encounter_changelist", gettext_lazy("Waiting list"), gettext_lazy("Who is here today"), ("emr.view_encounter",), order=20),
]  # fmt: skip
registry.resident_buttons += [
    ResidentButton("admin:emr_encounter_check_in", gettext_lazy("Check in"), "emr.check_in"),
    ResidentButton("admin:emr_encounter_choose", gettext_lazy("to a doctor…"), "emr.check_in", choose=True),
]
