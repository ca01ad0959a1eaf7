"""The signing form of the desk: a resident, a team and its doctor, the term, the packages the resident is eligible for,
and how it was signed."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registration
from contracts import eligibility, load, terms
from contracts.codes import AgreementState, Relation, SignatureKind, Way
from contracts.forms.desk_acts import YEARS, Day, doctors_of, picture_of, texts_of
from contracts.models import Team

S = AgreementState
STATES = (S.DRAFT, S.PENDING, S.SIGNED, S.DEEMED)


class TeamChoice(forms.ModelChoiceField):
    def label_from_instance(self, team):
        return f"{team.institution.short_name} {team.name}"


def a_phone(text):
    if fault := registration.phone_fault(text):
        raise forms.ValidationError(fault)


class SignForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    team = TeamChoice(label=gettext_lazy("team"), queryset=None, to_field_name="uuid")
    doctor = forms.ChoiceField(label=gettext_lazy("family doctor"))
    start = forms.DateField(label=gettext_lazy("first day"), widget=Day)
    years = forms.TypedChoiceField(label=gettext_lazy("years"), choices=YEARS, coerce=int)
    versions = forms.MultipleChoiceField(
        label=gettext_lazy("service packages"), widget=forms.CheckboxSelectMultiple, required=False
    )
    way = forms.ChoiceField(label=gettext_lazy("way of signing"), choices=Way.choices)
    representative = forms.CharField(label=gettext_lazy("representative"), max_length=60, required=False)
    relation = forms.ChoiceField(
        label=gettext_lazy("relation to the resident"), choices=[("", "—"), *Relation.choices], required=False
    )
    representative_phone = forms.CharField(
        label=gettext_lazy("representative's phone"), max_length=20, required=False, validators=[a_phone]
    )
    phone = forms.CharField(label=gettext_lazy("phone"), max_length=20, required=False, validators=[a_phone])
    address = forms.CharField(label=gettext_lazy("address"), max_length=200, required=False)
    note = forms.CharField(label=gettext_lazy("remark"), max_length=200, required=False)
    read = forms.BooleanField(label=gettext_lazy("read and understood"), required=False)
    signer = forms.CharField(label=gettext_lazy("who signed"), max_length=60, required=False)
    scan = forms.FileField(label=gettext_lazy("scan of the signed paper"), required=False)

    def __init__(self, *args, by, resident, **kwargs):
        super().__init__(*args, **kwargs)
        self.by, self.resident = by, resident
        teams = Team.objects.visible_to(by).active().select_related("institution")
        self.fields["team"].queryset = teams.order_by("institution__path", "name")
        self.team = self._team(teams)
        self.day = self._day()
        self.doctors, self.offers, self.texts, self.warnings = {}, [], [], []
        if self.team:
            self._of_team()

    def _team(self, teams):
        """The one that is chosen, or serves the resident's neighbourhood, or the only one."""
        value = self._typed("team")
        if value:
            try:
                return self.fields["team"].clean(value)
            except forms.ValidationError:
                return None
        near = teams.filter(areas=self.resident.community_id).first() if self.resident.community_id else None
        few = list(teams[:2])
        found = near or (few[0] if len(few) == 1 else None)
        if found:
            self.initial["team"] = found.uuid
        return found

    def _typed(self, name):
        """Not by the bound field, which keeps the first answer for good."""
        return self.data.get(name) if self.is_bound else self.initial.get(name)

    def _day(self):
        try:
            return forms.DateField().clean(self._typed("start"))
        except forms.ValidationError:
            return timezone.localdate()

    def _of_team(self):
        """Doctors with their load, packages with why they are not for this resident, the text that is read there."""
        self.doctors = {str(one.uuid): one for one in doctors_of(self.team)}
        its, loads = load.of_team(self.team, self.doctors.values())
        self.fields["doctor"].choices = [
            (key, _with_load(one.name, loads.get(one.pk))) for key, one in self.doctors.items()
        ]
        if its.warn:
            self.warnings.append(
                _("The team %(name)s has %(signed)d residents of at most %(cap)d.")
                % {"name": self.team.name, "signed": its.signed, "cap": its.cap}
            )
        self.offers = self._offers()
        self.fields["versions"].choices = [
            (str(version.uuid), version.package.name) for version, why_not in self.offers if why_not is None
        ]
        self.texts = list(texts_of(self.team.institution)[:1])

    def _offers(self):
        return eligibility.offered(self.team.institution, self.resident, self.day)

    @property
    def not_for(self):
        """[(package, why it is not for this resident)]."""
        return [(version.package.name, why) for version, why in self.offers if why is not None]

    @property
    def text(self):
        return self.texts[0] if self.texts else None

    @property
    def last_day(self):
        try:
            return terms.last_day(self.day, int(self._typed("years") or 1))
        except ValueError:
            return None

    def clean_scan(self):
        return picture_of(self.cleaned_data["scan"])

    def terms(self, state):
        """What contracts.actions.agreements.make takes."""
        data = self.cleaned_data
        chosen = set(data["versions"])
        representative = {
            "name": data["representative"],
            "relation": data["relation"],
            "phone": data["representative_phone"],
        }
        return {
            "key": data["key"], "resident": self.resident, "team": self.team, "doctor": self.doctors[data["doctor"]],
            "start": data["start"], "years": data["years"], "way": data["way"], "representative": representative,
            "versions": [version for version, _why in self.offers if str(version.uuid) in chosen],
            "phone": data["phone"], "address": data["address"], "note": data["note"], "state": state, "text": self.text,
            "read": data["read"], "signer": data["signer"],
            "signature": (data["scan"], SignatureKind.SCAN) if data["scan"] and state == S.SIGNED else None,
        }  # fmt: skip


def _with_load(name, its):
    return f"{name} ({its.signed}/{its.cap})" if its else name
