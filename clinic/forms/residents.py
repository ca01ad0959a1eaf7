"""A resident's cover sheet, as typed at the desk or by the doctor."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Column, Field, Fieldset, Layout, Row
from django import forms
from django.utils.translation import gettext_lazy as _

from clinic import registration
from clinic.models import Community, Institution, Resident

# Fields that want a telephone's whole width.
WIDE = frozenset({"id_number", "address", "community"})


def row(*names):
    """A line of fields; ("name", 4) takes four of twelve columns."""
    return Row(
        *(Column(Field(name), css_class=f"col-6 col-lg-{width}") for name, width in names), css_class="g-2"
    )


class ResidentForm(forms.ModelForm):
    """All sentences of clinic.registration at their fields. The ID number fills in what it tells."""

    confirmed = forms.BooleanField(label=_("It is another person: register anyway"), required=False)

    class Meta:
        model = Resident
        fields = (
            "id_type", "id_number", "name", "sex", "birth_date", "phone", "home", "community", "address", "ethnicity",
            "nationality", "marital", "occupation", "employer", "insurance", "insurance_number", "contact_name",
            "contact_relation", "contact_phone", "blood_type", "rh_type", "note",
        )  # fmt: skip
        widgets = {"birth_date": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})}

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("sex", "birth_date", "home"):
            self.fields[name].required = False
        reach = Institution.objects.under(by.institution).active()
        self.fields["home"] = forms.ModelChoiceField(
            reach, to_field_name="uuid", required=False, label=self.fields["home"].label,
            empty_label=None if by.institution.is_leaf else str(by.institution),
        )  # fmt: skip
        self.fields["community"] = forms.ModelChoiceField(
            Community.objects.order_by("code"), to_field_name="uuid", required=Community.objects.exists(),
            label=self.fields["community"].label,
        )  # fmt: skip
        self._begin_with(by)
        self.by = by
        self.helper = FormHelper(self)
        self.helper.form_tag = False
        self.helper.disable_csrf = True
        self.helper.layout = layout()

    def _begin_with(self, by):
        """Fields of the row as public ids; a new one begins at home and in its first neighbourhood."""
        home = self.instance.home if self.instance.home_id else by.institution
        community = self.instance.community
        if self.instance.pk is None:
            community = Community.objects.filter(institution=by.institution).order_by("code").first()
            self.initial["sex"] = ""
        self.initial["home"] = home.uuid
        self.initial["community"] = community and community.uuid

    def clean(self):
        """Uniqueness is told by the action, which knows where the other row is."""
        if self.instance.pk is None and not self.cleaned_data.get("home"):
            self.cleaned_data["home"] = self.by.institution
        return self.cleaned_data

    def _post_clean(self):
        super()._post_clean()
        registration.tidy(self.instance)
        registration.derive(self.instance)
        changed = None if self.instance.pk is None else self.changed_data
        for field, sentence in registration.problems(self.instance, changed).items():
            if field not in self.errors:
                self.add_error(field, sentence)

    @property
    def changed_facts(self):
        """Changed fields of the row; the tick is none."""
        return [name for name in self.changed_data if name in self.Meta.fields]

    def refuse(self, refusal):
        """What the action refused, at its field; the input stays."""
        field = refusal.facts.get("field")
        self.add_error(field if field in self.fields else None, refusal.message)


def layout():
    return Layout(
        row(("id_type", 2), ("id_number", 3), ("name", 3), ("sex", 2), ("birth_date", 2)),
        row(("phone", 3), ("home", 3), ("community", 3), ("address", 3)),
        row(("insurance", 3), ("insurance_number", 3), ("ethnicity", 2), ("nationality", 2), ("marital", 2)),
        Fieldset(
            _("Further facts"),
            row(("occupation", 3), ("employer", 3), ("blood_type", 3), ("rh_type", 3)),
            row(("contact_name", 3), ("contact_relation", 3), ("contact_phone", 3), ("note", 3)),
        ),
    )
