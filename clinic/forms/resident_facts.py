"""Short forms on a resident's page: one fact each."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.codes import HouseholdRelation, KeyPopulation, LifeState, TagSource


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d", attrs={"max": timezone.localdate})


def day(label, required=False):
    return forms.DateField(label=label, required=required, widget=Day())


class FactForm(forms.Form):
    """Small Bootstrap controls; what the action refuses goes to its field."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = (
                "form-select form-select-sm" if select else "form-control form-control-sm"
            )
            if callable(field.widget.attrs.get("max")):
                field.widget.attrs["max"] = field.widget.attrs["max"]().isoformat()

    def refuse(self, refusal):
        field = refusal.facts.get("field")
        self.add_error(field if field in self.fields else None, refusal.message)


class AllergyForm(FactForm):
    substance = forms.CharField(label=_("substance"), max_length=60)
    reaction = forms.CharField(label=_("reaction"), max_length=100, required=False)
    since = day(_("since"))


class ProblemForm(FactForm):
    name = forms.CharField(label=_("problem"), max_length=200)
    since = day(_("since"))


class TagForm(FactForm):
    tag = forms.ChoiceField(label=_("key population"), choices=KeyPopulation.choices)
    source = forms.ChoiceField(label=_("source"), choices=TagSource.choices, initial=TagSource.VISIT)
    since = day(_("since"))


class LifeStateForm(FactForm):
    state = forms.ChoiceField(label=_("living state"), choices=LifeState.choices)
    on = day(_("since"))


class HouseholdForm(FactForm):
    """``member`` is the record number or ID of somebody who lives there; empty begins a household."""

    member = forms.CharField(label=_("ID or record number of a member"), max_length=30, required=False)
    relation = forms.ChoiceField(label=_("relation to head"), choices=HouseholdRelation.choices)


class ReasonForm(FactForm):
    reason = forms.CharField(label=_("reason"), max_length=200, min_length=2)
