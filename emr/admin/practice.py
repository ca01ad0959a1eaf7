"""How institutions work: each choice, or as the institution above."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminRadioSelect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.admin.base import DeskAdmin, DeskForm
from clinic.models import Institution
from clinic.registry import DeskTile
from emr import practice
from emr.actions import practice as actions
from emr.codes import InsuranceWay, Prompt
from emr.models import Note, Practice

IN_A_ROW = {"class": "radiolist inline"}
STATES = [("", gettext_lazy("as above")), ("on", gettext_lazy("on")), ("off", gettext_lazy("off"))]
PROMPTS = {f"prompt_{rule.value}": rule for rule in Prompt}
FIELD_LABELS = [(name, Note._meta.get_field(name).verbose_name) for name in practice.FOLDING]


class PracticeForm(DeskForm):
    insurance = forms.ChoiceField(
        label=gettext_lazy("insurance interface"),
        choices=[("", gettext_lazy("as above")), *InsuranceWay.choices],
        required=False,
        widget=AdminRadioSelect(IN_A_ROW),
    )
    unfolded = forms.MultipleChoiceField(
        label=gettext_lazy("fields that stand open"),
        choices=FIELD_LABELS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Open in the chart beside the three boxes. None ticked: as above."),
    )

    class Meta:
        model = Practice
        fields = ["institution"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["insurance"] = self.instance.insurance
            self.initial["unfolded"] = self.instance.unfolded
            for name, rule in PROMPTS.items():
                chosen = self.instance.prompts.get(rule)
                self.initial[name] = "" if chosen is None else "on" if chosen else "off"

    def chosen(self):
        """What emr.actions.practice.keep takes."""
        data = self.cleaned_data
        return {
            "insurance": data["insurance"],
            "prompts": {rule.value: data[name] == "on" for name, rule in PROMPTS.items() if data[name]},
            "unfolded": [name for name in practice.FOLDING if name in data["unfolded"]],
        }


for _name, _rule in PROMPTS.items():
    PracticeForm.base_fields[_name] = PracticeForm.declared_fields[_name] = forms.ChoiceField(
        label=_rule.label, choices=STATES, required=False, widget=AdminRadioSelect(IN_A_ROW)
    )


@admin.register(Practice)
class PracticeAdmin(DeskAdmin):
    form = PracticeForm
    list_display = ["institution", "insurance_in_force", "chosen_prompts"]
    list_select_related = ["institution"]
    search_fields = ["institution__name"]
    actions = None

    def get_readonly_fields(self, request, obj=None):
        return ["institution", "in_force"] if obj else []

    def get_fieldsets(self, request, obj=None):
        return [
            (None, {"fields": ["institution", *(["in_force"] if obj else [])]}),
            (_("City insurance"), {"fields": ["insurance"]}),
            (_("after-visit prompts"), {"fields": list(PROMPTS)}),
            (_("Chart"), {"fields": ["unfolded"]}),
        ]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Institutions in reach that have no choices yet."""
        reach = Institution.objects.under(request.user.institution).active()
        kwargs["queryset"] = reach.filter(practice=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        kept = actions.keep(institution=obj.institution, by=request.user, request=request, **form.chosen())
        obj.pk, obj.uuid = kept.pk, kept.uuid

    @admin.display(description=gettext_lazy("insurance interface"))
    def insurance_in_force(self, obj):
        return obj.get_insurance_display() or _("as above")

    @admin.display(description=gettext_lazy("after-visit prompts"))
    def chosen_prompts(self, obj):
        states = {True: _("on"), False: _("off")}
        said = [f"{rule.label}: {states[bool(obj.prompts[rule])]}" for rule in Prompt if rule in obj.prompts]
        return "; ".join(said) or _("as above")

    @admin.display(description=gettext_lazy("in force"))
    def in_force(self, obj):
        found = practice.sources(obj.institution)
        lines = [
            (
                _("insurance interface"),
                InsuranceWay(found["insurance"].value).label,
                _whose(found["insurance"]),
            ),
            *(
                (rule.label, _("on") if found[rule].value else _("off"), _whose(found[rule]))
                for rule in Prompt
            ),
            (_("fields that stand open"), _labels(found["unfolded"].value), _whose(found["unfolded"])),
        ]
        rows = format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td><td>{}</td></tr>", lines)
        return format_html("<table>{}</table>", rows)


def _whose(source):
    return (
        _("chosen by %(name)s") % {"name": source.institution}
        if source.institution
        else _("nobody chose: default")
    )


def _labels(names):
    return "、".join(str(label) for name, label in FIELD_LABELS if name in names) or _("none")


registry.desk_tiles += [
    DeskTile("admin:emr_practice_changelist", gettext_lazy("Practice of institutions"), gettext_lazy("Insurance interface, after-visit prompts, open fields"), ("emr.view_practice",), order=70),
    DeskTile("filings", gettext_lazy("Insurance filings"), gettext_lazy("Referrals to file with city insurance by hand"), ("emr.file_insurance",), order=40),
    DeskTile("reconciliation", gettext_lazy("Reconciliation with the insurance"), gettext_lazy("Referrals without a number, or with a doubtful one"), ("emr.file_insurance",), order=41),
]  # fmt: skip
