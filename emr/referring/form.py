"""The two referral forms as people fill them in. What they may hold is said by emr.referring.sheet, once."""

from django import forms
from django.utils.translation import gettext_lazy as _

from emr.codes import ReferralDirection
from emr.referring import sheet as referral_sheet


def line(name, label, limits, **attrs):
    return forms.CharField(
        label=label, required=False, max_length=limits[name],
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off", **attrs}),
    )  # fmt: skip


def box(name, label, limits, rows, required=False):
    """``required`` shows in the page; the action says it, in one place for all."""
    attrs = {"class": "form-control", "rows": rows, **({"required": True} if required else {})}
    return forms.CharField(
        label=label, required=False, max_length=limits[name], widget=forms.Textarea(attrs=attrs)
    )


class PlaceField(forms.ModelChoiceField):
    """Institutions by kind; each option says which way a referral there goes."""

    def label_from_instance(self, institution):
        return institution.name


class PlaceSelect(forms.Select):
    sender = None

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        where = getattr(value, "instance", None)
        option["attrs"]["data-direction"] = referral_sheet.direction(self.sender, where).value
        return option


class SheetForm(forms.Form):
    def refuse(self, refusal):
        field = refusal.facts.get("field")
        self.add_error(field if field in self.fields else None, refusal.message)


class ReferralForm(SheetForm):
    """The form out 转出单. ``sheet`` is what emr.actions.referrals.refer wants."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    direction = forms.ChoiceField(
        label=_("direction"), choices=ReferralDirection.choices, required=False,
        widget=forms.RadioSelect(attrs={"class": "btn-check"}),
    )  # fmt: skip
    to_name = line("to_name", _("hospital outside"), referral_sheet.SENT, list="hospitals")
    to_department = line("to_department", _("to department"), referral_sheet.SENT)
    to_doctor = line("to_doctor", _("receiving doctor"), referral_sheet.SENT)
    from_department = line("from_department", _("from department"), referral_sheet.SENT)
    doctor_phone = line("doctor_phone", _("contact phone"), referral_sheet.SENT, inputmode="tel")
    impression = box("impression", _("first impression"), referral_sheet.SENT, 2, required=True)
    present_illness = box(
        "present_illness", _("present illness, reason for referral"), referral_sheet.SENT, 4, required=True
    )
    past_history = box("past_history", _("past history"), referral_sheet.SENT, 2)
    treatment_course = box("treatment_course", _("course of treatment"), referral_sheet.SENT, 4)

    def __init__(self, *args, by, **kwargs):
        super().__init__(*args, **kwargs)
        select = PlaceSelect(attrs={"class": "form-select", "autofocus": True})
        select.sender = by.institution
        self.fields["to_institution"] = PlaceField(
            label=_("institution of the district"), required=False, to_field_name="uuid", widget=select,
            queryset=referral_sheet.places_for(by).order_by("path"), empty_label=_("a hospital outside:"),
        )  # fmt: skip

    @property
    def sheet(self):
        return {name: value for name, value in self.cleaned_data.items() if name != "key"}


class ReturnForm(SheetForm):
    """The form back 回转单."""

    return_diagnosis = box("return_diagnosis", _("diagnosis"), referral_sheet.RETURNED, 2, required=True)
    inpatient_number = line("inpatient_number", _("inpatient record number"), referral_sheet.RETURNED)
    results = box("results", _("main results of examinations"), referral_sheet.RETURNED, 4)
    return_course = box(
        "return_course", _("treatment, next steps, rehabilitation advice"), referral_sheet.RETURNED, 5,
        required=True,
    )  # fmt: skip
    return_doctor = line("return_doctor", _("returning doctor"), referral_sheet.RETURNED, required=True)
    return_phone = line("return_phone", _("returning doctor's phone"), referral_sheet.RETURNED)
