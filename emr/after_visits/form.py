"""The forms behind the after-visit list: what each item is prefilled with and what may be changed of it."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import text
from emr.codes import Certainty, Prompt

LINE, PARAGRAPH = 200, 5_000
# prompt → (name in facts, label, most characters)
FIELDS = {
    Prompt.INFECTIOUS: (
        ("disease", gettext_lazy("disease"), LINE),
        ("grade", gettext_lazy("class of the disease"), 10),
        ("case", gettext_lazy("case"), 20),
        ("name", gettext_lazy("full name"), 60),
        ("sex", gettext_lazy("sex"), 20),
        ("birth_date", gettext_lazy("birth date"), 20),
        ("id_number", gettext_lazy("ID number"), 30),
        ("guardian", gettext_lazy("parent (of a child under 14)"), 60),
        ("phone", gettext_lazy("phone"), 30),
        ("address", gettext_lazy("address"), LINE),
        ("occupation", gettext_lazy("occupation"), 60),
        ("employer", gettext_lazy("employer or school"), 100),
        ("onset_on", gettext_lazy("fell ill on"), 20),
        ("diagnosed_at", gettext_lazy("diagnosed at"), 20),
        ("diagnosis", gettext_lazy("diagnosis as signed"), LINE),
        ("others", gettext_lazy("further notifiable diseases"), LINE),
        ("doctor", gettext_lazy("reporting doctor"), 60),
        ("unit", gettext_lazy("reporting unit"), 100),
        ("unit_phone", gettext_lazy("unit's phone"), 30),
    ),
    Prompt.CHRONIC: (
        ("disease", gettext_lazy("disease"), LINE),
        ("pressure", gettext_lazy("blood pressure"), 30),
        ("plan", gettext_lazy("plan of management"), PARAGRAPH),
    ),
    Prompt.EDUCATION: (
        ("group", gettext_lazy("subject"), 60),
        ("text", gettext_lazy("text for the resident"), PARAGRAPH),
    ),
    Prompt.BLOOD_PRESSURE: (("pressure", gettext_lazy("blood pressure"), 30),),
    Prompt.NO_FIRM_DIAGNOSIS: (
        ("names", gettext_lazy("suspected diagnoses"), LINE),
        ("opinion", gettext_lazy("opinion of the senior doctor"), PARAGRAPH),
    ),
}
WHY = {
    Prompt.BLOOD_PRESSURE: gettext_lazy(
        "First visit at 35 years or more, and no blood pressure in this note nor in any other of this year."
    ),
    Prompt.INFECTIOUS: gettext_lazy(
        "The diagnosis is on the list of notifiable diseases. Class A and what is managed as such: within 2 hours; others: within 24 hours."
    ),
    Prompt.CHRONIC: gettext_lazy("Diagnosed for certain, and not yet under management here."),
    Prompt.EDUCATION: gettext_lazy("A text to take home that goes with the diagnosis. Change it as you like."),
    Prompt.NO_FIRM_DIAGNOSIS: gettext_lazy(
        "Three visits with suspected diagnoses alone: ask a senior doctor for an opinion, or refer."
    ),
}  # fmt: skip


def form_of(item, data=None):
    """The item's form: its facts, and what was done or why not."""
    return ItemForm(data, item=item)


def rows_of(item) -> list[tuple]:
    """(label, value) of what is filled in, for reading."""
    return [(label, value) for label, value in every_row_of(item) if value]


def every_row_of(item) -> list[tuple]:
    """(label, value), the empty ones too: paper is filled in by hand."""
    return [(label, shown(item, name)) for name, label, _most in FIELDS[item.prompt]]


def shown(item, name) -> str:
    value = str(item.facts.get(name) or "")
    return str(Certainty(value).label) if name == "case" and value in Certainty.values else value


class ItemForm(forms.Form):
    """``facts()`` is what was prefilled with the changes on top."""

    answer = forms.CharField(
        label=gettext_lazy("What was done, or why it is not needed"),
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2, "class": "form-control", "autocomplete": "off"}),
    )

    def __init__(self, data=None, *, item):
        super().__init__(data)
        self.item = item
        made = {name: self._field(name, label, most) for name, label, most in FIELDS[item.prompt]}
        self.fields = {**made, "answer": self.fields["answer"]}

    def _field(self, name, label, most):
        attrs = {"class": "form-control", "autocomplete": "off"}
        wide = most == PARAGRAPH
        widget = forms.Textarea(attrs={**attrs, "rows": 6}) if wide else forms.TextInput(attrs=attrs)
        return forms.CharField(
            label=label,
            required=False,
            max_length=most,
            widget=widget,
            initial=shown(self.item, name),
            strip=True,
        )

    def clean(self):
        cleaned = super().clean()
        if any(not text.is_storable(value) for value in cleaned.values() if isinstance(value, str)):
            raise ValidationError(_("The text holds a character that cannot be stored."))
        return cleaned

    def prefilled(self):
        """The bound fields of the facts, without the answer."""
        return [self[name] for name in self.fields if name != "answer"]

    def facts(self) -> dict:
        """A label that stands for a code goes back to it when nobody changed it."""
        changed = {
            name: value
            for name, value in self.cleaned_data.items()
            if name != "answer" and value != shown(self.item, name)
        }
        return {**self.item.facts, **changed}
