"""What people type about upgrades."""

import uuid

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.models import Institution
from clinic.permissions import ROLES
from maintenance.actions.upgrades import LONGEST, LONGEST_REASON
from maintenance.codes import Business, Module
from maintenance.forms.contract import Day
from maintenance.forms.tickets import Moment
from maintenance.models import EmergencyPlan

RESPONSIBLE = sorted(role for role, grant in ROLES.items() if "maintenance.add_upgrade" in grant.permissions)


def area(label, rows, required=True):
    return forms.CharField(
        label=label, max_length=LONGEST, required=required, widget=forms.Textarea(attrs={"rows": rows})
    )


class PlanForm(forms.Form):
    """``businesses`` of all ``places``; stations are named with their centre."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    release = forms.CharField(label=_("release"), max_length=40)
    responsible = forms.ModelChoiceField(
        get_user_model().objects.none(), label=_("responsible"), to_field_name="uuid"
    )
    starts_at = forms.DateTimeField(label=_("window from"), widget=Moment)
    ends_at = forms.DateTimeField(label=_("window until"), widget=Moment)
    modules = forms.MultipleChoiceField(
        label=_("modules"), choices=Module.choices, widget=forms.CheckboxSelectMultiple
    )
    businesses = forms.MultipleChoiceField(
        label=_("affected businesses"), choices=Business.choices, widget=forms.CheckboxSelectMultiple
    )
    places = forms.ModelMultipleChoiceField(
        Institution.objects.none(),
        label=_("affected institutions"),
        to_field_name="uuid",
        widget=forms.CheckboxSelectMultiple,
    )
    what = area(_("what changes"), 3)
    impact = area(_("impact"), 2, required=False)
    roll_back = area(_("how it is rolled back"), 2, required=False)
    plan = forms.ModelChoiceField(
        EmergencyPlan.objects.none(),
        label=_("emergency plan"),
        to_field_name="uuid",
        required=False,
        empty_label="—",
    )
    rehearsed_on = forms.DateField(label=_("rehearsed on"), widget=Day, required=False)
    rehearsal = forms.CharField(label=_("what the rehearsal showed"), max_length=500, required=False)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        people = get_user_model().objects.filter(is_active=True, role__in=RESPONSIBLE)
        self.fields["responsible"].queryset = people.order_by("role", "name")
        self.fields["responsible"].label_from_instance = lambda one: f"{one.name} · {one.get_role_display()}"
        self.fields["places"].queryset = Institution.objects.under(user.institution).active()
        self.fields["places"].label_from_instance = lambda one: one.short_name
        self.fields["plan"].queryset = EmergencyPlan.objects.visible_to(user).filter(active=True)

    def clean(self):
        data = super().clean()
        if data.get("starts_at") and data.get("ends_at") and data["ends_at"] <= data["starts_at"]:
            self.add_error("ends_at", _g("The window ends before it begins."))
        return data

    def given(self) -> dict:
        """What maintenance.actions.upgrades.plan and change take."""
        data = dict(self.cleaned_data)
        businesses = data.pop("businesses")
        return {**data, "sites": dict.fromkeys(data.pop("places"), businesses)}


class MoveForm(forms.Form):
    starts_at = forms.DateTimeField(label=_("window from"), widget=Moment)
    ends_at = forms.DateTimeField(label=_("window until"), widget=Moment)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("reason"), max_length=LONGEST_REASON)


class ReviewForm(forms.Form):
    review = area(pgettext_lazy("upgrade", "review"), 4)
