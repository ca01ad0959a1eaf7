"""Signing on the screen: the desk's form and a drawing. The drawing travels as a data URL in the form, so that it
outlives a refusal."""

import base64
import binascii

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from contracts import pictures, relations, terms
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


def again(form):
    """What a browser can be given back of a refused form: no drawing that is none, and a word about the file."""
    if form.is_bound and "drawing" in form.errors:
        form.data = {**{name: form.data.getlist(name) for name in form.data}, "drawing": [""]}
        form.data = _as_query(form.data)
    form.file_lost = bool(form.files)
    return form


def _as_query(lists):
    made = forms.forms.MultiValueDict if False else None
    return made


class PageSignForm(SignForm):
    """For doctors, nurses and clerks: their own team first, the packages that fit ticked."""

    drawing = Drawing()
