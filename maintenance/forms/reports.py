"""What people type about the week and its meeting."""

import uuid

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from maintenance.actions import meetings, reports
from maintenance.codes import ActionState
from maintenance.forms.contract import Day
from maintenance.forms.tickets import Moment

LABELS = {
    "summary": pgettext_lazy("report", "summary"), "problems": _("problems"), "measures": _("measures taken"),
    "next": _("next week"),
}  # fmt: skip


class WordsForm(forms.Form):
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in reports.SECTIONS:
            self.fields[name] = forms.CharField(
                label=LABELS[name],
                max_length=reports.LONGEST,
                required=False,
                widget=forms.Textarea(attrs={"rows": 3}),
            )


class CallForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    held_at = forms.DateTimeField(label=_("held at"), widget=Moment, initial=timezone.localtime)
    place = forms.CharField(label=_("place"), max_length=100, required=False)


class MinutesForm(forms.Form):
    decisions = forms.CharField(
        label=_("decisions"),
        max_length=meetings.LONGEST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    people = forms.ModelMultipleChoiceField(
        get_user_model().objects.none(), label=_("who was there"), to_field_name="uuid", required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["people"].queryset = meetings.who_may_come()
        self.fields["people"].label_from_instance = lambda one: f"{one.name} · {one.get_role_display()}"


class ItemForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    words = forms.CharField(label=_("what is to be done"), max_length=meetings.LONGEST_ITEM)
    owner = forms.ModelChoiceField(get_user_model().objects.none(), label=_("by whom"), to_field_name="uuid")
    due_on = forms.DateField(label=pgettext_lazy("action", "due on"), widget=Day)
    ticket_number = forms.CharField(label=_("ticket"), max_length=20, required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = meetings.who_may_come()
        self.fields["owner"].label_from_instance = lambda one: f"{one.name} · {one.get_role_display()}"


class EndForm(forms.Form):
    state = forms.ChoiceField(choices=[one for one in ActionState.choices if one[0] != ActionState.OPEN])
    note = forms.CharField(max_length=meetings.LONGEST_ITEM, required=False)
