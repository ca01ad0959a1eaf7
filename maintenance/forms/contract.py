"""What people type about the vendor's contract."""

import uuid

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from maintenance.actions.breaches import BY_HAND, LONGEST
from maintenance.forms.tickets import NOTHING
from maintenance.models import Clause


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self, **options):
        super().__init__(format="%Y-%m-%d", **options)


class WordsForm(forms.Form):
    words = forms.CharField(label=_("in words"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 2}))


class ConfirmForm(forms.Form):
    words = forms.CharField(label=_("remark"), max_length=LONGEST, required=False)


class FreezeForm(forms.Form):
    """One of the months that are over and have lines."""

    month = forms.ChoiceField(label=_("month"))

    def __init__(self, *args, months=(), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = [(f"{one:%Y-%m}", f"{one:%Y-%m}") for one in months]


class ChargeForm(forms.Form):
    """A breach that no job can see."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    clause = forms.ChoiceField(label=_("clause"))
    on = forms.DateField(label=_("day"), widget=Day, initial=timezone.localdate)
    words = forms.CharField(
        label=_("what happened"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Facts that the vendor can check; no names of patients."),
    )  # fmt: skip

    def __init__(self, *args, contract, **kwargs):
        super().__init__(*args, **kwargs)
        rows = Clause.objects.filter(contract=contract, measure__in=BY_HAND).select_related("contract")
        self.clauses = {str(row.uuid): row for row in rows}
        choices = [(key, f"{row.number} {row.get_measure_display()}") for key, row in self.clauses.items()]
        self.fields["clause"].choices = [NOTHING, *choices]
