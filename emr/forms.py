"""What people type on the record's pages (the chart saves itself: emr.drafting.fields)."""

from django import forms
from django.utils.translation import gettext_lazy as _

from emr.actions.reviews import COMMENT_LIMIT
from emr.codes import ReviewDecision
from emr.drafting import fields


class VitalsForm(forms.Form):
    """Vital signs as typed: an odd value is asked about at signing, never refused here."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, label, unit in fields.VITALS:
            self.fields[name] = forms.CharField(
                label=label, help_text=unit, required=False, max_length=fields.VITAL_LIMIT,
                widget=forms.TextInput(
                    attrs={"class": "form-control", "inputmode": "decimal", "autocomplete": "off"}
                ),
            )  # fmt: skip

    def vitals(self):
        return {name: text for name in fields.VITAL_NAMES if (text := self.cleaned_data[name])}

    def rows(self):
        return [self[name] for name in fields.VITAL_NAMES]


class AllergyForm(forms.Form):
    substance = forms.CharField(label=_("substance"), max_length=60)
    reaction = forms.CharField(label=_("reaction"), max_length=100, required=False)


class ReviewForm(forms.Form):
    seen = forms.IntegerField(min_value=1, max_value=2**15, required=False, widget=forms.HiddenInput)
    decision = forms.ChoiceField(label=_("decision"), choices=ReviewDecision.choices)
    comment = forms.CharField(
        label=_("comment"), required=False, max_length=COMMENT_LIMIT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )  # fmt: skip
