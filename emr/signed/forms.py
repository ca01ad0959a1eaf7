"""What people type when they correct a signed note or ask for leave to."""

from django import forms
from django.utils.translation import gettext_lazy as _

from emr.actions.correcting import REASON_LIMIT
from emr.codes import ChangeKind

AREA = {"class": "form-control", "rows": 3, "maxlength": REASON_LIMIT}


class ReasonForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(label=_("Reason"), max_length=REASON_LIMIT, widget=forms.Textarea(AREA))


class CorrectionForm(ReasonForm):
    """``how``: the text is corrected; a signature is undone by rewriting; or nothing of the text holds."""

    HOW = {
        "correct": (ChangeKind.CORRECT, False),
        "rewrite": (ChangeKind.UNDO, False),
        "void": (ChangeKind.UNDO, True),
    }
    how = forms.ChoiceField(choices=[(name, name) for name in HOW])

    def asked(self):
        kind, void = self.HOW[self.cleaned_data["how"]]
        return {**self._only("key", "reason"), "kind": kind, "void": void}

    def _only(self, *names):
        return {name: self.cleaned_data[name] for name in names}


class RequestForm(ReasonForm):
    kind = forms.ChoiceField(choices=ChangeKind.choices)
