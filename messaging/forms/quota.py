"""What is typed about allowances."""

import uuid

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.actions.quota import GRANTED, MOST
from messaging.codes import AtLimit, QuotaKind
from messaging.models import Quota


class KeyedForm(forms.Form):
    """``key`` makes a second click harmless."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid.uuid4())


def segments(**more):
    return forms.IntegerField(
        label=_("segments"),
        max_value=MOST,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "size": 10}),
        **more,
    )


class QuotaChoice(forms.ModelChoiceField):
    def __init__(self, label):
        super().__init__(Quota.objects.none(), label=label, to_field_name="uuid")

    def label_from_instance(self, quota):
        return quota.institution.short_name


class GrantForm(KeyedForm):
    kind = forms.ChoiceField(
        label=_("kind"), choices=[(kind.value, kind.label) for kind in map(QuotaKind, GRANTED)]
    )
    segments = segments(help_text=_("A correction may be below zero."))
    document = forms.CharField(label=_("document"), max_length=100)
    money = forms.DecimalField(
        label=_("amount, CNY"), required=False, min_value=0, max_digits=12, decimal_places=2
    )


class ShareForm(KeyedForm):
    taker = QuotaChoice(_("institution"))
    segments = segments(help_text=_("Below zero: take back what is free there."))
    document = forms.CharField(label=_("document"), max_length=100, required=False)

    def __init__(self, *args, takers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["taker"].queryset = takers


class LoanForm(KeyedForm):
    lender = QuotaChoice(_("lender"))
    segments = segments(min_value=1)
    reason = forms.CharField(label=_("reason"), max_length=200)

    def __init__(self, *args, lenders, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["lender"].queryset = lenders


class LimitForm(forms.Form):
    at_limit = forms.ChoiceField(label=_("when used up"), choices=AtLimit.choices)


class YearForm(forms.Form):
    """An allowance of an institution and year that is not there yet."""

    institution = forms.ModelChoiceField(None, label=_("institution"), to_field_name="uuid")
    year = forms.TypedChoiceField(label=_("year"), coerce=int)
    at_limit = forms.ChoiceField(label=_("when used up"), choices=AtLimit.choices, initial=AtLimit.APPROVE)

    def __init__(self, *args, institutions, **kwargs):
        super().__init__(*args, **kwargs)
        this = timezone.localdate().year
        self.fields["institution"].queryset = institutions
        self.fields["year"].choices = [(this, this), (this + 1, this + 1)]
