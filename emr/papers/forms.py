"""Forms at the counter: who asks for which visits, for what. Actions check it all again."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.codes import IdType
from emr import papers, printing
from emr.codes import Relation
from emr.models import Encounter
from emr.papers import Person


def text(label, limit, *, required=True, **attrs):
    return forms.CharField(
        label=label, max_length=limit, required=required,
        widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}),
    )  # fmt: skip


class PaperForm(forms.Form):
    """Bootstrap controls; what the action refuses goes to its field."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.Select):
                field.widget.attrs["class"] = "form-select"
            elif not isinstance(field.widget, (forms.CheckboxInput, forms.RadioSelect)):
                field.widget.attrs["class"] = "form-control"

    def refuse(self, refusal):
        field = refusal.facts.get("field")
        self.add_error(field if field in self.fields else None, refusal.message)


class ChosenVisitsForm(PaperForm):
    """Visits of one file and somebody with papers."""

    visits = forms.ModelMultipleChoiceField(
        label=_("visits"), queryset=Encounter.objects.none(), to_field_name="uuid",
        error_messages={"required": _("Please choose at least one visit.")},
    )  # fmt: skip
    key = forms.UUIDField(widget=forms.HiddenInput)
    relation = forms.ChoiceField(label=_("relation to the patient"), choices=Relation.choices)
    id_type = forms.ChoiceField(label=_("ID type"), choices=IdType.choices)
    id_number = text(_("ID number"), 30, required=False)

    def __init__(self, *args, visits, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["visits"].queryset = visits

    @property
    def chosen(self):
        """Uuids as they were sent, for the boxes to stay ticked."""
        return set(map(str, self["visits"].value() or ()))

    def person(self, name):
        data = self.cleaned_data
        return Person(data[name], data["relation"], data["id_type"], data["id_number"])

    def uuids(self):
        return [visit.uuid for visit in self.cleaned_data["visits"]]


class SealForm(ChosenVisitsForm):
    hospital_party = text(_("present for the institution"), 60)
    patient_party = text(_("present for the patient"), 60)
    reason = text(_("reason"), 200)
    medium = text(_("medium"), 60, list="media")
    location = text(_("kept at"), 100)

    PEOPLE = ("hospital_party", "patient_party", "relation", "id_type", "id_number")
    REST = ("reason", "medium", "location")

    def people(self):
        return [self[name] for name in self.PEOPLE]

    def rest(self):
        return [self[name] for name in self.REST]

    def given(self):
        """What emr.actions.papers.seal_copy takes from here."""
        data = self.cleaned_data
        return {
            "visits": self.uuids(),
            "patient": self.person("patient_party"),
            **{name: data[name] for name in ("hospital_party", *self.REST, "key")},
        }


class ConfirmForm(SealForm):
    """The second look: the same once more, what was shown, and that both are here."""

    seen = forms.CharField(max_length=64, min_length=64, widget=forms.HiddenInput)
    both = forms.BooleanField(
        label=_("Both parties are present and have confirmed this together."),
        error_messages={"required": _("Sealing needs both parties present.")},
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )


class UnsealForm(PaperForm):
    hospital_party = text(_("present for the institution"), 60)
    patient_party = text(_("present for the patient"), 60)
    reason = text(_("reason for unsealing"), 200)
    both = forms.BooleanField(
        label=_("Both parties are present and have confirmed this together."),
        error_messages={"required": _("Unsealing needs both parties present.")},
        widget=forms.CheckboxInput(attrs={"class": "form-check-input"}),
    )

    def rows(self):
        return [self[name] for name in ("hospital_party", "patient_party", "reason")]

    def given(self):
        return {name: self.cleaned_data[name] for name in ("hospital_party", "patient_party", "reason")}


class CopyForm(ChosenVisitsForm):
    applicant = text(_("applicant"), 60)
    purpose = text(_("purpose"), 100, list="purposes")
    paper = forms.ChoiceField(
        label=_("paper size"), choices=[(code, code.upper()) for code in printing.PAPERS], initial="a4"
    )
    stamped_by = text(_("stamped by"), 60, required=False)

    def people(self):
        return [self[name] for name in ("applicant", "relation", "id_type", "id_number")]

    def rest(self):
        return [self[name] for name in ("purpose", "paper", "stamped_by")]

    def given(self):
        """What emr.actions.papers.issue_copy takes from here."""
        data = self.cleaned_data
        return {
            "visits": self.uuids(),
            "applicant": self.person("applicant"),
            **{name: data[name] for name in ("purpose", "paper", "stamped_by", "key")},
        }


def visits_page(visits, number):
    """A page of the file's visits and whether there are older ones; as many as one copy may hold."""
    begin = max(number - 1, 0) * papers.LIMIT
    rows = list(visits[begin : begin + papers.LIMIT + 1])
    return rows[: papers.LIMIT], len(rows) > papers.LIMIT
