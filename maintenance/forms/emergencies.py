"""What people type about drills and paper."""

import uuid

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution
from maintenance.actions.emergencies import LONGEST, LONGEST_PASSPHRASE, MOST_SHEETS
from maintenance.forms.contract import Day
from maintenance.models import EmergencyPlan


class DrillForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    plan = forms.ModelChoiceField(
        EmergencyPlan.objects.none(), label=_("emergency plan"), to_field_name="uuid", empty_label="—"
    )
    institution = forms.ModelChoiceField(
        Institution.objects.none(), label=_("institution"), to_field_name="uuid"
    )
    on = forms.DateField(label=_("day"), widget=Day, initial=timezone.localdate)
    score = forms.IntegerField(label=_("score, of 100"), min_value=0, max_value=100)
    findings = forms.CharField(
        label=_("what it showed"),
        max_length=LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["plan"].queryset = EmergencyPlan.objects.visible_to(user).filter(active=True)
        self.fields["institution"].queryset = Institution.objects.under(user.institution).active()


class PassphraseForm(forms.Form):
    institution = forms.ModelChoiceField(
        Institution.objects.none(), label=_("institution"), to_field_name="uuid"
    )
    passphrase = forms.CharField(
        label=_("passphrase"), max_length=LONGEST_PASSPHRASE, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Tell it to the station's people; nobody can look it up later."),
    )  # fmt: skip

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["institution"].queryset = Institution.objects.under(user.institution).active()


class PadForm(forms.Form):
    sheets = forms.IntegerField(label=_("sheets"), min_value=1, max_value=MOST_SHEETS, initial=20)
