"""Signing a household: what is shared by all, and a line for each of its people."""

import uuid

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic.codes import LifeState
from contracts import eligibility, relations
from contracts.codes import AgreementState, Relation, Way
from contracts.forms.desk_sign import a_phone
from contracts.forms.sign import PageSignForm, chosen_picture, is_usual
from contracts.models import PackageVersion

S = AgreementState
WAYS = [(way.value, way.label) for way in (Way.IN_PERSON, Way.HOME)]
OWN = ("versions", "phone", "address", "representative", "relation", "representative_phone")


class HouseholdForm(PageSignForm):
    """Team, doctor, term, text and the signature of whoever signs for all; ``signer``: a member's public id, or empty
    for somebody else, who has a ``name``."""

    signer = forms.ChoiceField(label=gettext_lazy("who signs"), required=False)
    name = forms.CharField(label=pgettext_lazy("of a person", "name"), max_length=60, required=False)
    signer_phone = forms.CharField(
        label=gettext_lazy("phone"), max_length=20, required=False, validators=[a_phone]
    )

    def __init__(self, *args, people, **kwargs):
        self.people = people
        super().__init__(*args, **kwargs)
        for name in OWN:
            del self.fields[name]
        self.fields["way"].choices = WAYS
        adults = [one for one in people if one.age >= relations.OF_AGE]
        self.fields["signer"].choices = [
            *((str(one.uuid), one.name) for one in adults), ("", gettext_lazy("somebody else")),
        ]  # fmt: skip

    def _offers(self):
        """Packages are each member's own (members_of)."""
        return []

    def signing(self):
        """The member who signs for all, as typed; None for somebody else."""
        return next((one for one in self.people if str(one.uuid) == self._typed("signer")), None)

    def clean(self):
        data = super().clean()
        if not data.get("signer") and not data.get("name"):
            self.add_error("name", _("Who signs for the household?"))
        return data

    def shared(self, state):
        """What contracts.actions.agreements.sign_household takes for all."""
        data, signed = self.cleaned_data, state == S.SIGNED
        signer = self.signing()
        return {
            "team": self.team, "doctor": self.doctors[data["doctor"]], "start": data["start"], "years": data["years"],
            "note": data["note"], "state": state, "text": self.text, "read": data["read"],
            "signer": signer.name if signer else data["name"],
            "signature": chosen_picture(data) if signed else None,
        }  # fmt: skip


class Member:
    """One person on the page: ticked or not, packages, how the signer is related. ``data`` is the POST; None on the
    first look."""

    def __init__(self, person, standing, offers, form, data, anew=False):
        self.person, self.name, self.error = person, person.uuid.hex, ""
        self.why_not = _why_not(person, standing)
        self.fit = [version for version, why in offers if why is None]
        self.unfit = [(version, why) for version, why in offers if why is not None]
        self.ticked = f"who-{self.name}" in data if data else True
        wanted = data.getlist(f"versions-{self.name}") if data else None
        self.chosen = [
            one for one in self.fit if (is_usual(one) if wanted is None else str(one.uuid) in wanted)
        ]
        signer = form.signing()
        self.signs = signer is not None and signer.pk == person.pk
        self.relation = data.get(f"relation-{self.name}", "") if data and not anew else _guess(signer, person)

    @property
    def boxes(self):
        return [(version, version in self.chosen) for version in self.fit]

    @property
    def relations(self):
        return [(code, label, code == self.relation) for code, label in [("", "—"), *Relation.choices]]

    def terms(self, sitting, form):
        """One of ``people`` of sign_household. The key follows from the sitting: two clicks are one agreement."""
        data, person = form.cleaned_data, self.person
        signer = form.signing()
        represents = {
            "name": signer.name if signer else data["name"], "relation": self.relation, "phone": data["signer_phone"],
        }  # fmt: skip
        return {
            "key": uuid.uuid5(sitting, person.uuid.hex), "resident": person, "versions": self.chosen,
            "phone": person.phone or data["signer_phone"], "address": person.address,
            "way": data["way"] if self.signs else Way.FAMILY, "representative": None if self.signs else represents,
        }  # fmt: skip


def members_of(people, standing, form, data, anew=False):
    """[Member]; ``standing``: {resident: the agreement that is alive}. Two queries for any number of people."""
    versions, groups = [], {}
    if form.team:
        rows = PackageVersion.objects.offered(form.team.institution, form.day).select_related("package")
        versions = list(rows.order_by("package__kind", "package__code"))
        groups = eligibility.groups_of(people, form.day)
    return [
        Member(
            one, standing.get(one.pk),
            [(version, eligibility.why_not(version, one, groups[one.pk], form.day)) for version in versions],
            form, data, anew,
        )
        for one in people
    ]  # fmt: skip


def _why_not(person, standing):
    if person.life_state != LifeState.LIVING:
        return _("This resident has died or moved away.")
    if standing is None:
        return None
    return _("Has an agreement with %(institution)s, %(team)s until %(day)s.") % {
        "institution": standing.institution.short_name, "team": standing.team, "day": standing.end,
    }  # fmt: skip


def _guess(signer, person):
    return relations.between(signer, person) if signer and signer.pk != person.pk else ""
