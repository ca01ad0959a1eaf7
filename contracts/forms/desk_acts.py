"""Small forms of the desk: what one act on an agreement, or one order for many, asks for."""

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from contracts import pictures
from contracts.codes import EndReason, SignatureKind, WhyNot
from contracts.models import AgreementText, TeamMember

REASON = 200
YEARS = [(n, str(n)) for n in (1, 2, 3)]
# A change of team ends by itself; who has died is ended by the system, and by the desk where it learns of it first.
ENDS = [("", "—")] + [(reason.value, reason.label) for reason in EndReason if reason != EndReason.SWITCHED]


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


def texts_of(institution, day=None):
    """Published texts that are read there, the newest first."""
    rows = AgreementText.objects.used_at(institution).filter(
        published_at__isnull=False, valid_from__lte=day or timezone.localdate()
    )
    return rows.order_by("-valid_from", "-pk")


def doctors_of(team):
    """Family doctors of the team today: [(User)]."""
    members = TeamMember.objects.on().family_doctors().filter(team=team, person__is_active=True)
    members = members.select_related("person")
    return [member.person for member in members.order_by("-role", "pk")]


class KeyForm(forms.Form):
    """The key makes two clicks one act."""

    key = forms.UUIDField(widget=forms.HiddenInput)


class NoteForm(KeyForm):
    note = forms.CharField(label=gettext_lazy("reason"), max_length=REASON)

    def given(self):
        return {"note": self.cleaned_data["note"]}


class RefuseForm(KeyForm):
    why = forms.ChoiceField(label=gettext_lazy("why not signed"), choices=[("", "—"), *WhyNot.choices])
    note = forms.CharField(label=gettext_lazy("remark"), max_length=REASON, required=False)

    def clean(self):
        data = super().clean()
        if data.get("why") == WhyNot.OTHER and not data.get("note"):
            self.add_error("note", _("Please say it in words."))
        return data

    def given(self):
        return {name: self.cleaned_data[name] for name in ("why", "note")}


class EndForm(KeyForm):
    reason = forms.ChoiceField(label=gettext_lazy("reason"), choices=ENDS)
    note = forms.CharField(label=gettext_lazy("reason in words"), max_length=REASON, required=False)
    on = forms.DateField(
        label=gettext_lazy("last day in force"),
        required=False,
        widget=Day,
        help_text=gettext_lazy("Empty: today."),
    )

    def clean(self):
        data = super().clean()
        if data.get("reason") == EndReason.OTHER and not data.get("note"):
            self.add_error("note", _("Please say it in words."))
        if data.get("on") and data["on"] > timezone.localdate():
            self.add_error("on", _("This day lies in the future."))
        return data

    def given(self):
        return {name: self.cleaned_data[name] for name in ("reason", "note", "on")}

    def orders(self):
        """As a batch keeps them."""
        on = self.cleaned_data["on"]
        return {**self.given(), "on": on and on.isoformat()}


class ScanForm(KeyForm):
    """The paper that was signed, as a scan or photograph."""

    scan = forms.FileField(label=gettext_lazy("scan of the signed paper"))
    signer = forms.CharField(label=gettext_lazy("who signed"), max_length=60)
    read = forms.BooleanField(label=gettext_lazy("read and understood"))

    def clean_scan(self):
        return picture_of(self.cleaned_data["scan"])

    def given(self):
        data = self.cleaned_data
        return {
            "signature": (data["scan"], SignatureKind.SCAN),
            "signer": data["signer"],
            "read": data["read"],
        }


class TextForm(KeyForm):
    """Chooses among the texts that are read at the institution."""

    text = forms.ModelChoiceField(
        label=gettext_lazy("agreement text"), queryset=None, to_field_name="uuid", empty_label=None
    )

    def __init__(self, *args, institution, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["text"].queryset = texts_of(institution)


class RenewForm(TextForm):
    years = forms.TypedChoiceField(label=gettext_lazy("years"), choices=YEARS, coerce=int)
    scan = forms.FileField(label=gettext_lazy("scan of the signed paper"), required=False)
    signer = forms.CharField(label=gettext_lazy("who signed"), max_length=60, required=False)
    read = forms.BooleanField(label=gettext_lazy("read and understood"))

    def clean_scan(self):
        return picture_of(self.cleaned_data["scan"])

    def given(self):
        data = self.cleaned_data
        signature = (data["scan"], SignatureKind.SCAN) if data["scan"] else None
        return {
            "text": data["text"], "years": data["years"], "read": data["read"], "signature": signature, "signer": data["signer"],
        }  # fmt: skip


class RenewManyForm(TextForm):
    years = forms.TypedChoiceField(label=gettext_lazy("years"), choices=YEARS, coerce=int)
    confirmed = forms.BooleanField(
        label=gettext_lazy("Each resident was told, agreed and has signed; the papers lie with us.")
    )

    def orders(self):
        data = self.cleaned_data
        return {"years": data["years"], "text": data["text"].pk, "confirmed": True, "team": None}


class ReassignForm(KeyForm):
    doctor = forms.ChoiceField(label=gettext_lazy("family doctor"))

    def __init__(self, *args, team, **kwargs):
        super().__init__(*args, **kwargs)
        self.doctors = {str(one.uuid): one for one in (doctors_of(team) if team else [])}
        self.fields["doctor"].choices = [(key, one.name) for key, one in self.doctors.items()]

    def chosen(self):
        return self.doctors[self.cleaned_data["doctor"]]

    def given(self):
        return {"doctor": self.chosen()}

    def orders(self):
        return {"doctor": self.chosen().pk}


class SwitchForm(KeyForm):
    """To which team and doctor, told apart by public ids: "team doctor"."""

    to = forms.ChoiceField(label=gettext_lazy("to team and doctor"))
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=REASON)

    def __init__(self, *args, agreement, **kwargs):
        super().__init__(*args, **kwargs)
        members = TeamMember.objects.on().family_doctors().filter(team__active=True, person__is_active=True)
        root = agreement.institution.path.split("/")[1]
        members = members.filter(team__institution__path__startswith=f"/{root}/").exclude(
            team=agreement.team_id
        )
        members = members.select_related("team__institution", "person")
        self.members = {
            f"{one.team.uuid} {one.person.uuid}": one
            for one in members.order_by("team__institution__path", "team__name", "pk")
        }
        self.fields["to"].choices = [("", "—")] + [
            (key, f"{one.team.institution.short_name} {one.team.name} · {one.person.name}")
            for key, one in self.members.items()
        ]

    def given(self):
        member = self.members[self.cleaned_data["to"]]
        return {"to_team": member.team, "to_doctor": member.person, "reason": self.cleaned_data["reason"]}


class AgreeForm(KeyForm):
    """Signed at once where the new paper lies there; else it waits for the new team's signature."""

    scan = forms.FileField(label=gettext_lazy("scan of the signed paper"), required=False)
    signer = forms.CharField(label=gettext_lazy("who signed"), max_length=60, required=False)

    def clean_scan(self):
        return picture_of(self.cleaned_data["scan"])

    def given(self):
        scan = self.cleaned_data["scan"]
        return {
            "signature": (scan, SignatureKind.SCAN) if scan else None,
            "signer": self.cleaned_data["signer"],
        }


class DecideForm(KeyForm):
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=REASON)

    def given(self):
        return {"reason": self.cleaned_data["reason"]}


def picture_of(upload):
    """The picture, or a sentence on the form. Nothing but a picture is kept."""
    if not upload:
        return None
    try:
        return pictures.scan(upload.read(settings.CONTRACTS_SCAN_BYTES + 1))
    except Refused as refusal:
        raise forms.ValidationError(refusal.message) from refusal
