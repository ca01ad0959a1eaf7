"""How institutions sign, and how many people live in their areas."""

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.errors import Refused
from clinic.models import Institution
from contracts import practice
from contracts.actions import packages as people_actions
from contracts.actions import teams as actions
from contracts.codes import Group, RemindBy
from contracts.models import Population, SigningPractice
from messaging.codes import Purpose
from messaging.models import SmsTemplate

STOPS = [("", gettext_lazy("as above")), ("on", gettext_lazy("on")), ("off", gettext_lazy("off"))]
TOLD = {None: "", True: "on", False: "off"}
# What is asked of every area; the others as the district wants.
ASKED = (Group.ALL, Group.KEY, Group.SENIOR, Group.CHILD, Group.PREGNANT, Group.HYPERTENSION, Group.DIABETES)


class PracticeForm(DeskForm):
    stop = forms.ChoiceField(label=gettext_lazy("no agreement beyond the cap"), choices=STOPS, required=False)

    class Meta:
        model = SigningPractice
        fields = [
            "institution",
            "cap_doctor",
            "cap_team",
            "warn_at",
            "remind_by",
            "remind_with",
            "pending_days",
        ]
        help_texts = {name: gettext_lazy("Empty: as the institution above.") for name in fields[1:]}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["stop"] = TOLD[self.instance.hard_stop]


@admin.register(SigningPractice)
class SigningPracticeAdmin(DeskAdmin):
    form = PracticeForm
    list_display = [
        "institution",
        "cap_doctor",
        "cap_team",
        "warn_at",
        "remind_by",
        "remind_with",
        "pending_days",
    ]
    list_select_related = ["institution", "remind_with"]
    ordering = ["institution__path"]
    sortable_by = ()
    actions = None

    def get_readonly_fields(self, request, obj=None):
        return ["institution", "in_force"] if obj else []

    def get_fieldsets(self, request, obj=None):
        return [
            (None, {"fields": ["institution", *(["in_force"] if obj else [])]}),
            (_("How many residents"), {"fields": [("cap_doctor", "cap_team"), ("warn_at", "stop")]}),
            (_("Before the end"), {"fields": ["remind_by", "remind_with"]}),
            (_("Waiting for a signature"), {"fields": ["pending_days"]}),
        ]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        reach = Institution.objects.under(request.user.institution).active()
        if db_field.name == "remind_with":
            kwargs["queryset"] = SmsTemplate.objects.visible_to(request.user).filter(
                purpose=Purpose.AGREEMENT, active=True
            )
        else:
            kwargs["queryset"] = reach.filter(signing=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        kept = {name: data[name] for name in actions.PRACTICE if name != "hard_stop"}
        stop = {"on": True, "off": False}.get(data["stop"])
        row = actions.keep_practice(
            institution=obj.institution, by=request.user, request=request, hard_stop=stop, **kept
        )
        obj.pk, obj.uuid = row.pk, row.uuid

    @admin.display(description=gettext_lazy("in force"))
    def in_force(self, obj):
        now = practice.of(obj.institution)
        lines = [
            (_("cap of residents per family doctor"), now.cap_doctor),
            (_("cap of residents per team"), now.cap_team),
            (_("warn at percent of the cap"), now.warn_at),
            (_("no agreement beyond the cap"), _("on") if now.hard_stop else _("off")),
            (_("remind by"), RemindBy(now.remind_by).label),
            (_("with the template"), now.remind_with or "—"),
            (_("days to wait for a signature"), now.pending_days),
        ]
        return format_html(
            "<table>{}</table>", format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", lines)
        )


@admin.register(Population)
class PopulationAdmin(DeskAdmin):
    """A grid: institutions of one's reach down, groups across, for one year."""

    list_select_related = ["institution"]
    actions = None

    def has_add_permission(self, request):
        return False

    def get_urls(self):
        save = path(
            "<uuid:place>/save/", self.admin_site.admin_view(self.save), name="contracts_population_save"
        )
        return [save, *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return self._grid(request, _year(request.GET.get("year")))

    def _grid(self, request, year, typed=None, wrong=None):
        """``typed``: (institution, {group: text}), what was refused, as it was typed; ``wrong``: the group it is about."""
        places = list(Institution.objects.under(request.user.institution).active().order_by("path"))
        known = {}
        for row in Population.objects.visible_to(request.user).filter(year=year, institution__in=places):
            known.setdefault(row.institution_id, {})[row.group] = row.people
        lines = [
            {
                "place": place,
                "cells": [(group, known.get(place.pk, {}).get(group.value), "") for group in ASKED],
            }
            for place in places
        ]
        for line in lines:
            if typed and line["place"].pk == typed[0].pk:
                line["cells"] = [(group, typed[1].get(group.value, ""), group == wrong) for group in ASKED]
        this = timezone.localdate().year
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": self.opts.verbose_name_plural,
            "year": year, "years": [this + 1, this, this - 1, this - 2], "groups": ASKED, "lines": lines,
            "may": request.user.has_perm("contracts.change_population"),
        }  # fmt: skip
        return TemplateResponse(
            request, "admin/contracts/population.html", context, status=400 if typed else 200
        )

    def save(self, request, place):
        """One institution's line."""
        where = Institution.objects.under(request.user.institution).filter(uuid=place).first()
        if request.method != "POST" or not request.user.has_perm("contracts.change_population"):
            raise PermissionDenied
        if where is None:
            raise Http404
        year = _year(request.POST.get("year"))
        typed = {
            group.value: request.POST[group.value].strip() for group in ASKED if group.value in request.POST
        }
        try:
            numbers = {group: _number(group, text) for group, text in typed.items()}
            people_actions.keep_people(
                institution=where, year=year, numbers=numbers, by=request.user, request=request
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
            return self._grid(request, year, (where, typed), refusal.facts.get("field"))
        self.message_user(request, _("Saved."), level="success")
        return HttpResponseRedirect(f"{self.list_address()}?year={year}")


def _number(group, text):
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(_("Please give a number from 0 up."), code="people", field=group)
    return int(text) if text else None


def _year(text):
    this = timezone.localdate().year
    if not (text and len(text) == 4 and text.isascii() and text.isdigit()):
        return this
    return int(text) if abs(int(text) - this) <= 10 else this
