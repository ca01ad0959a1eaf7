"""The page on which a campaign is made: text, audience, time. Little of it has to be filled in."""

import uuid

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.codes import Insurance, KeyPopulation, Sex
from clinic.errors import Refused
from clinic.models import Institution
from messaging import audiences
from messaging.actions.campaigns import check_moment
from messaging.codes import Policy, Purpose
from messaging.models import SmsTemplate

TICKED = 2000  # residents chosen by hand; more are meant by a filter
MOMENT = "%Y-%m-%dT%H:%M"


class TemplateSelect(forms.Select):
    """Options know their text and purpose, so that choosing one fills the box at once."""

    def create_option(self, name, value, label, selected, index, subindex=None, attrs=None):
        option = super().create_option(name, value, label, selected, index, subindex, attrs)
        row = getattr(value, "instance", None)
        if row is not None:
            option["attrs"].update({"data-body": row.body, "data-purpose": row.purpose})
        return option


class TemplateChoice(forms.ModelChoiceField):
    """Templates by purpose."""

    widget = TemplateSelect

    def label_from_instance(self, row):
        return f"{row.get_purpose_display()} · {row.name}"


class AudienceForm(forms.Form):
    """Criteria of residents, as a saved filter keeps them too. Nothing chosen: everybody of the institution."""

    places = forms.ModelMultipleChoiceField(
        label=gettext_lazy("home institution"), queryset=Institution.objects.none(), required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: all of them."),
    )  # fmt: skip
    tags = forms.MultipleChoiceField(
        label=gettext_lazy("key population"), choices=KeyPopulation.choices, required=False,
        widget=forms.CheckboxSelectMultiple, help_text=gettext_lazy("None chosen: everybody."),
    )  # fmt: skip
    age_from = forms.IntegerField(label=gettext_lazy("age from"), min_value=0, max_value=150, required=False)
    age_to = forms.IntegerField(label=gettext_lazy("age to"), min_value=0, max_value=150, required=False)
    sex = forms.ChoiceField(
        label=gettext_lazy("sex"), choices=[("", gettext_lazy("all")), *Sex.choices], required=False
    )
    insurance = forms.MultipleChoiceField(
        label=gettext_lazy("insurance"), choices=Insurance.choices, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    visited_from = forms.DateField(
        label=gettext_lazy("visit from"), required=False, widget=forms.DateInput({"type": "date"})
    )
    visited_to = forms.DateField(
        label=gettext_lazy("visit to"), required=False, widget=forms.DateInput({"type": "date"})
    )

    def __init__(self, *args, by=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        if by is not None:
            self.narrow(by)

    def narrow(self, by):
        """To the person's reach."""
        reach = Institution.objects.under(by.institution).active().order_by("path")
        self.fields["places"].queryset = reach
        self.fields["places"].to_field_name = "uuid"
        self.fields["places"].label_from_instance = lambda row: row.short_name
        if by.institution.is_leaf:
            del self.fields["places"]

    def clean(self):
        super().clean()
        self.check_spans()
        return self.cleaned_data

    def check_spans(self):
        data = self.cleaned_data
        for first, last in (("age_from", "age_to"), ("visited_from", "visited_to")):
            low, high = data.get(first), data.get(last)
            if low is not None and high is not None and low > high:
                self.add_error(last, _("The end lies before the beginning."))


class ComposeForm(AudienceForm):
    """A new campaign. ``copied_from``: the campaign that this one repeats."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    institution = forms.ModelChoiceField(
        label=gettext_lazy("in whose name"), queryset=Institution.objects.none(), to_field_name="uuid", empty_label=None
    )  # fmt: skip
    template = TemplateChoice(
        label=gettext_lazy("template"), queryset=SmsTemplate.objects.none(), to_field_name="uuid", required=False,
        empty_label=gettext_lazy("own text"),
    )  # fmt: skip
    purpose = forms.ChoiceField(label=gettext_lazy("purpose"), choices=Purpose.choices)
    body = forms.CharField(
        label=gettext_lazy("text"), required=False, max_length=500,
        widget=forms.Textarea(attrs={"rows": 4, "maxlength": 500}),
    )  # fmt: skip
    name = forms.CharField(
        label=gettext_lazy("name"), required=False, max_length=60,
        help_text=gettext_lazy("Empty: the template's name and the day."),
    )  # fmt: skip
    source = forms.ChoiceField(label=gettext_lazy("who"), required=False)
    residents = forms.CharField(required=False, widget=forms.HiddenInput)
    send_at = forms.DateTimeField(
        label=gettext_lazy("not before"), required=False, input_formats=[MOMENT],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT),
        help_text=gettext_lazy("Empty: at once after the release."),
    )  # fmt: skip
    valid_until = forms.DateTimeField(
        label=gettext_lazy("of no use after"), required=False, input_formats=[MOMENT],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT),
        help_text=gettext_lazy("What was not sent by then is not sent any more."),
    )  # fmt: skip
    quiet_override = forms.CharField(
        label=gettext_lazy("reason to send in the quiet hours"), required=False, max_length=200
    )
    phone = forms.CharField(
        label=gettext_lazy("own phone"), required=False, max_length=20,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
    )  # fmt: skip
    urgent = forms.BooleanField(label=gettext_lazy("before all other campaigns"), required=False)
    policy = forms.ChoiceField(
        label=gettext_lazy("when in doubt"),
        choices=Policy.choices,
        required=False,
        initial=Policy.AT_MOST_ONCE,
    )

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, by=by, **kwargs)
        reach = Institution.objects.under(by.institution).active().order_by("path")
        self.fields["institution"].queryset = reach
        self.fields["institution"].initial = by.institution.uuid
        self.fields["institution"].label_from_instance = lambda row: row.short_name
        templates = SmsTemplate.objects.visible_to(by).active().order_by("purpose", "name")
        self.fields["template"].queryset = templates
        self.fields["source"].choices = [
            (source.name, source.label) for source in audiences.sources.values() if source.name != "selection"
        ]
        # What a source asks for itself, by its name. Only the chosen one's boxes are wanted: no browser may stop at the others'.
        self.parts = {
            source.name: source.form(
                self.data if self.is_bound else None, initial=self.initial, prefix=source.name, user=by,
                use_required_attribute=False,
            )
            for source in audiences.sources.values()
            if source.form
        }  # fmt: skip
        if by.institution.is_leaf:
            self.fields["institution"].widget = forms.HiddenInput()
        if not by.has_perm("messaging.override_quiet"):
            for name in ("quiet_override", "urgent", "policy"):
                del self.fields[name]

    def clean_residents(self):
        """Public ids, one after the other."""
        try:
            ticked = [uuid.UUID(text) for text in self.cleaned_data["residents"].split()]
        except ValueError as error:
            raise forms.ValidationError(_("Please tick the residents in their list again.")) from error
        if len(ticked) > TICKED:
            raise forms.ValidationError(_("So many residents are chosen by a filter."))
        return ticked

    def clean_send_at(self):
        return self._moment("send_at")

    def clean_valid_until(self):
        return self._moment("valid_until")

    def _moment(self, name):
        moment = self.cleaned_data[name]
        try:
            check_moment(moment, name, timezone.now())
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal
        return moment

    def clean(self):
        """A template chosen without script fills the empty box here."""
        data = super().clean()
        template = data.get("template")
        if template and not data.get("body"):
            data["body"], data["purpose"] = template.body, template.purpose
        part = self._part(data)
        if part is not None and not part.is_valid():
            self.add_error("source", _("Please say below who is meant."))
        return data

    def _part(self, data):
        """The form of the chosen source; None where it asks for nothing."""
        return None if data.get("residents") else self.parts.get(data.get("source"))

    def ticked(self) -> int:
        """How many residents were ticked in their list."""
        return len(str(self["residents"].value() or "").split())

    def audience(self) -> dict:
        """What messaging.audiences takes, as plain JSON."""
        data = self.cleaned_data
        if data.get("residents"):
            return {"source": "selection", "residents": [str(one) for one in data["residents"]]}
        source, part = data.get("source") or "criteria", self._part(data)
        if part is not None:
            return {"source": source, **(part.audience() if part.is_valid() else {})}
        return {"source": source, **(criteria(data) if source == "criteria" else {})}

    def campaign(self) -> dict:
        """What messaging.actions.campaigns.make takes."""
        data = self.cleaned_data
        named = data["name"] or (
            data["template"].name if data["template"] else Purpose(data["purpose"]).label
        )
        return {
            "key": data["key"], "institution": data["institution"], "purpose": data["purpose"], "body": data["body"],
            "template": data["template"], "audience": self.audience(), "send_at": data["send_at"],
            "valid_until": data["valid_until"], "quiet_override": data.get("quiet_override", ""),
            "urgent": data.get("urgent", False), "policy": data.get("policy") or Policy.AT_MOST_ONCE,
            "name": data["name"] or f"{named[:50]} {timezone.localdate():%m-%d}",
        }  # fmt: skip

    def refuse(self, refusal):
        """Put what the action refused where it belongs; the input stays."""
        field = refusal.facts.get("field")
        self.add_error(field if field in self.fields else None, refusal.message)


def criteria(data) -> dict:
    """The chosen ones of AudienceForm as plain JSON."""
    chosen = {
        "places": [str(row.uuid) for row in data.get("places") or ()],
        **{name: data.get(name) for name in ("tags", "insurance", "sex", "age_from", "age_to")},
        **{name: str(data[name]) for name in ("visited_from", "visited_to") if data.get(name)},
    }
    return {name: value for name, value in chosen.items() if value not in (None, "", [])}
