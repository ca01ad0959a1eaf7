"""Signing on the screen: the desk's form and a drawing. The drawing travels as a data URL in the form, so that it
outlives a refusal."""

import base64
import binascii

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from contracts import pictures, terms
from contracts.codes import AgreementState, PackageKind, SignatureKind, Way
from contracts.forms.desk_acts import picture_of
from contracts.forms.desk_sign import SignForm

S = AgreementState
DRAWN = "data:image/png;base64,"


class Drawing(forms.CharField):
    """A data URL of a PNG, cleaned to a ``pictures.Picture``; None where nothing was drawn."""

    widget = forms.HiddenInput

    def __init__(self):
        super().__init__(required=False, strip=True, label=gettext_lazy("signature"))

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        if len(text) > len(DRAWN) + settings.CONTRACTS_DRAWN_BYTES * 4 // 3 + 4:
            size = settings.CONTRACTS_DRAWN_BYTES // 1000
            raise forms.ValidationError(_("The picture is larger than %(size)d kB.") % {"size": size})
        try:
            if not text.startswith(DRAWN):
                raise ValueError
            return pictures.drawn(base64.b64decode(text[len(DRAWN) :], validate=True))
        except (binascii.Error, ValueError) as error:
            raise forms.ValidationError(_("This is no picture that can be read.")) from error
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal


def chosen_picture(data):
    """(Picture, kind) of a form with ``drawing`` and ``scan``; None where there is neither."""
    if data.get("drawing"):
        return data["drawing"], SignatureKind.DRAWN
    return (data["scan"], SignatureKind.SCAN) if data.get("scan") else None


class PageSignForm(SignForm):
    """For doctors, nurses and clerks: their own team first, the packages that fit ticked."""

    drawing = Drawing()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["note"].widget.attrs["maxlength"] = 200

    def _team(self, teams):
        if not self._typed("team"):
            own = teams.of_member(self.by).order_by("pk").first()
            if own is not None:
                self.initial["team"] = own.uuid
                return own
        return super()._team(teams)

    def _of_team(self):
        super()._of_team()
        if self.is_bound:
            return
        own = next((key for key, person in self.doctors.items() if person.pk == self.by.pk), None)
        if str(self.initial.get("doctor", "")) not in self.doctors:
            self.initial["doctor"] = own or next(iter(self.doctors), None)
        if self.initial.get("versions") is None:
            self.initial["versions"] = [
                str(version.uuid) for version, why in self.offers if why is None and is_usual(version)
            ]

    @property
    def lines(self):
        """[(version, whether it is ticked, why it is not for this resident)], those that fit first."""
        ticked = {str(one) for one in self._ticked()}
        shown = [(version, str(version.uuid) in ticked, why) for version, why in self.offers]
        return sorted(shown, key=lambda line: line[2] is not None)

    def _ticked(self):
        if self.is_bound:
            return self.data.getlist("versions")
        return self.initial.get("versions") or []

    @property
    def last_days(self):
        """[(years, the last day)]."""
        return [(years, terms.last_day(self.day, years)) for years in (1, 2, 3)]

    def terms(self, state):
        signed = state == S.SIGNED
        given = super().terms(state)
        if signed and given["way"] == Way.HANDBOOK:
            return {**given, "state": S.DEEMED, "signature": None}
        return {**given, "signature": chosen_picture(self.cleaned_data) if signed else None}


def is_usual(version):
    """Ticked from the start: basic ones, and what is made for the resident's group or age and costs nothing."""
    made_for = version.groups or version.age_from is not None or version.age_to is not None
    return version.package.kind == PackageKind.BASIC or bool(made_for and version.price == version.waiver)


class PendingForm(forms.Form):
    """The signature below an agreement that waits for it."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    read = forms.BooleanField(label=gettext_lazy("read and understood"), required=False)
    signer = forms.CharField(label=gettext_lazy("who signed"), max_length=60, required=False)
    drawing = Drawing()
    scan = forms.FileField(label=gettext_lazy("scan of the signed paper"), required=False)

    def clean_scan(self):
        return picture_of(self.cleaned_data["scan"])
