"""Small forms of the saves' and the inquiry's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from emr.actions.correcting import REASON_LIMIT

DAY = forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d")


class VisitForm(forms.Form):
    """One's own visit: a day, a name, or both."""

    day = forms.DateField(label=_("day"), required=False, widget=DAY)
    name = forms.CharField(
        label=_("name or initials"), required=False, max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )  # fmt: skip


class InquiryForm(forms.Form):
    """Whose visit: a receipt's number; or name, tail of the ID or record number, with the day."""

    who = forms.CharField(
        label=_("resident, ID tail, record number or receipt"), max_length=60,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", "autofocus": True}),
    )  # fmt: skip
    day = forms.DateField(label=_("day"), required=False, widget=DAY)


class RestoreForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("reason"), required=False, max_length=REASON_LIMIT,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )  # fmt: skip
