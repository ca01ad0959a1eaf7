"""The form of a template: its name, whose it is, and the boxes it fills. The boxes themselves are checked by the
action (emr.templating.listing.check), as those of a note are."""

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic.models import Institution
from emr.actions.templates import NAME_LIMIT
from emr.codes import Certainty, Frequency, Route, TemplateKind
from emr.models import Note
from emr.templating import listing

BLANK_LINES = 2
MOST_LINES = 40
SMALL = {"class": "form-control", "autocomplete": "off"}


class DiagnosisForm(forms.Form):
    name = forms.CharField(
        label=_("Diagnosis"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={**SMALL, "data-part": "name"}),
    )
    code = forms.CharField(
        label=_("code"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={**SMALL, "readonly": True, "tabindex": "-1"}),
    )
    system = forms.CharField(max_length=20, required=False, widget=forms.HiddenInput)
    release = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    coded = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)

    def line(self):
        """A code stands for the name that it was chosen with; other words are the person's own."""
        typed = self.cleaned_data
        own = typed["name"] != typed["coded"]
        coded = {name: "" if own else typed[name] for name in ("system", "release", "code")}
        return {**coded, "name": typed["name"], "certainty": Certainty.CONFIRMED.value, "primary": False}


class MedicationForm(forms.Form):
    drug = forms.CharField(
        label=_("Drug"), max_length=100, required=False, widget=forms.TextInput(attrs=SMALL)
    )
    dose = forms.CharField(
        label=_("Dose"), max_length=40, required=False, widget=forms.TextInput(attrs=SMALL)
    )
    route = forms.ChoiceField(label=_("Route"), choices=[("", "—"), *Route.choices], required=False)
    frequency = forms.ChoiceField(
        label=_("How often"), choices=[("", "—"), *Frequency.choices], required=False
    )
    days = forms.CharField(label=_("Days"), max_length=4, required=False, widget=forms.TextInput(attrs=SMALL))
    reason = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("route", "frequency"):
            self.fields[name].widget.attrs["class"] = "form-select"


Diagnoses = forms.formset_factory(
    DiagnosisForm, extra=BLANK_LINES, max_num=MOST_LINES, absolute_max=MOST_LINES
)
Medications = forms.formset_factory(
    MedicationForm, extra=BLANK_LINES, max_num=MOST_LINES, absolute_max=MOST_LINES
)


class TemplateForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(label=_("name"), max_length=NAME_LIMIT)
    field = forms.ChoiceField(label=_("box"), required=False)
    institution = forms.ModelChoiceField(
        Institution.objects.none(), label=_("shared with"), required=False, to_field_name="uuid"
    )
    department = forms.CharField(label=_("only this department"), max_length=30, required=False)
    active = forms.BooleanField(label=_("in use"), required=False)

    def __init__(self, data=None, *, kind, by, template=None, initial=None):
        self.kind, self.template = kind, template
        content = template.content if template else {}
        super().__init__(data, initial={**self._present(template), **(initial or {})})
        self._shape(by)
        wanted = listing.PLAN_FIELDS if kind == TemplateKind.PLAN else ["text"]
        for name in wanted:
            if name not in Note.LINE_FIELDS:
                self.fields[name] = self._box(name, content)
        self.lines = {}
        if kind == TemplateKind.PLAN:
            coded = [{**line, "coded": line.get("name", "")} for line in content.get("diagnoses", [])]
            self.lines = {
                "diagnoses": Diagnoses(data, prefix="d", initial=coded),
                "medications": Medications(data, prefix="m", initial=content.get("medications", [])),
            }

    def _present(self, template):
        if template is None:
            return {"active": True}
        return {
            "name": template.name, "active": template.active, "department": template.department,
            "institution": template.institution and template.institution.uuid,
        }  # fmt: skip

    def _shape(self, by):
        shared = by.has_perm("emr.share_notetemplate") and (
            self.template is None or self.template.owner_id is None
        )
        if shared:
            self.fields["institution"].queryset = Institution.objects.under(by.institution).active()
            self.fields["institution"].required = True
            self.fields["institution"].empty_label = None
            self.initial.setdefault("institution", by.institution.uuid)
        else:
            del self.fields["institution"], self.fields["department"]
        if self.kind == TemplateKind.PLAN or self.template is not None:
            del self.fields["field"]
        else:
            choices = [(name, Note._meta.get_field(name).verbose_name) for name in Note.TEXT_FIELDS]
            self.fields["field"].choices, self.fields["field"].required = choices, True
            self.initial.setdefault("field", "treatment")
        if self.template is None:
            del self.fields["active"]
        for field in self.fields.values():
            if isinstance(field.widget, forms.Select):
                field.widget.attrs["class"] = "form-select"
            elif isinstance(field.widget, forms.TextInput):
                field.widget.attrs |= SMALL

    def _box(self, name, content):
        label = _("text") if name == "text" else Note._meta.get_field(name).verbose_name
        found = (
            content.get(self.template.field, "")
            if name == "text" and self.template
            else content.get(name, "")
        )
        rows = 6 if name == "text" else 2
        widget = forms.Textarea(attrs={"class": "form-control", "rows": rows})
        return forms.CharField(label=label, required=False, strip=False, initial=found, widget=widget)

    # The page asks for its parts ------------------------------------------------------------------------

    def head(self):
        return [self[name] for name in ("name", "field", "institution", "department") if name in self.fields]

    def boxes(self):
        order = [name for name in (*listing.PLAN_FIELDS, "text") if name in self.fields or name in self.lines]
        return [(name, self[name] if name in self.fields else None, self.lines.get(name)) for name in order]

    def is_valid(self):
        return super().is_valid() and all(lines.is_valid() for lines in self.lines.values())

    def refuse(self, refusal):
        for name, sentence in (refusal.facts.get("fields") or {}).items():
            self.add_error(name if name in self.fields else None, sentence)
        if not self.errors:
            name = refusal.facts.get("field")
            self.add_error(name if name in self.fields else None, refusal.message)

    # What the actions take -------------------------------------------------------------------------------

    def made(self):
        typed = self.cleaned_data
        return {
            "key": typed["key"], "name": typed["name"], "field": typed.get("field", ""), "content": self.content(),
            "institution": typed.get("institution"), "department": typed.get("department", ""),
        }  # fmt: skip

    def changed(self):
        typed = self.cleaned_data
        return {
            "name": typed["name"], "content": self.content(), "active": typed["active"],
            "institution": typed.get("institution"), "department": typed.get("department", ""),
        }  # fmt: skip

    def content(self):
        """As a draft has it: line ends as the browser's text boxes keep them."""
        typed = {name: unix(text) for name, text in self.cleaned_data.items() if name in listing.PLAN_FIELDS}
        if self.kind == TemplateKind.TEXT:
            field = self.template.field if self.template else self.cleaned_data["field"]
            return {field: unix(self.cleaned_data["text"])}
        return {**typed, "diagnoses": self._diagnoses(), "medications": self._medications()}

    def _diagnoses(self):
        lines = [form.line() for form in self.lines["diagnoses"] if form.cleaned_data.get("name")]
        return [{**line, "primary": position == 0} for position, line in enumerate(lines)]

    def _medications(self):
        rows = (form.cleaned_data for form in self.lines["medications"])
        return [row for row in rows if row.get("drug") or row.get("dose")]


def unix(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")
