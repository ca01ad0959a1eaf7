"""How institutions send: signature, quiet hours, approval; each choice, or as the institution above."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminRadioSelect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import DeskAdmin, DeskForm
from clinic.models import Institution
from messaging import practice
from messaging.actions import practice as actions
from messaging.models import SendingPractice

STATES = [("", gettext_lazy("as above")), ("on", gettext_lazy("on")), ("off", gettext_lazy("off"))]
TOLD = {None: "", True: "on", False: "off"}


class PracticeForm(DeskForm):
    retry = forms.ChoiceField(
        label=gettext_lazy("try a temporary failure once more the next day"),
        choices=STATES,
        required=False,
        widget=AdminRadioSelect({"class": "radiolist inline"}),
    )

    class Meta:
        model = SendingPractice
        fields = ["institution", "signature", "quiet_from", "quiet_to", "approval_above"]
        widgets = {
            "quiet_from": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "signature": gettext_lazy("Without 【】. Empty: as the institution above."),
            "quiet_to": gettext_lazy(
                "Both empty: as the institution above. The same time twice: no quiet hours."
            ),
            "approval_above": gettext_lazy("Empty: as the institution above. 0: every campaign."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["retry"] = TOLD[self.instance.retry_next_day]

    def chosen(self):
        """What messaging.actions.practice.keep takes."""
        data = self.cleaned_data
        kept = {name: data[name] for name in ("signature", "quiet_from", "quiet_to", "approval_above")}
        return {**kept, "retry_next_day": {"on": True, "off": False}.get(data["retry"])}


@admin.register(SendingPractice)
class SendingPracticeAdmin(DeskAdmin):
    form = PracticeForm
    list_display = ["institution", "signature_shown", "quiet", "above", "retry_shown"]
    list_select_related = ["institution"]
    ordering = ["institution__path"]
    sortable_by = ()
    actions = None

    def get_readonly_fields(self, request, obj=None):
        return ["institution", "in_force"] if obj else []

    def get_fieldsets(self, request, obj=None):
        return [
            (None, {"fields": ["institution", *(["in_force"] if obj else [])]}),
            (_("Who speaks"), {"fields": ["signature"]}),
            (_("Quiet hours"), {"fields": [("quiet_from", "quiet_to")]}),
            (_("Approval and failures"), {"fields": ["approval_above", "retry"]}),
        ]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Institutions in reach that have no choices yet."""
        reach = Institution.objects.under(request.user.institution).active()
        kwargs["queryset"] = reach.filter(sending=None)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """The browser's own box for a time: the desk's clock would need a script of the stock admin."""
        if db_field.name in ("quiet_from", "quiet_to"):
            return db_field.formfield(widget=forms.TimeInput({"type": "time"}, format="%H:%M"))
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        kept = actions.keep(institution=obj.institution, by=request.user, request=request, **form.chosen())
        obj.pk, obj.uuid = kept.pk, kept.uuid

    @admin.display(description=gettext_lazy("signature"))
    def signature_shown(self, obj):
        return f"【{obj.signature}】" if obj.signature else _("as above")

    @admin.display(description=gettext_lazy("quiet hours"))
    def quiet(self, obj):
        return _hours(obj.quiet_from, obj.quiet_to) if obj.quiet_from else _("as above")

    @admin.display(description=gettext_lazy("approval above"))
    def above(self, obj):
        return _("as above") if obj.approval_above is None else obj.approval_above

    @admin.display(description=gettext_lazy("next day again"))
    def retry_shown(self, obj):
        return dict(STATES)[TOLD[obj.retry_next_day]]

    @admin.display(description=gettext_lazy("in force"))
    def in_force(self, obj):
        now = practice.of(obj.institution)
        lines = [
            (_("signature"), f"【{now.signature}】"),
            (_("quiet hours"), _hours(now.quiet_from, now.quiet_to)),
            (_("a second person approves above so many recipients"), now.approval_above),
            (
                _("try a temporary failure once more the next day"),
                _("on") if now.retry_next_day else _("off"),
            ),
        ]
        return format_html(
            "<table>{}</table>", format_html_join("", "<tr><th scope='row'>{}</th><td>{}</td></tr>", lines)
        )


def _hours(begin, end):
    return _("none") if begin == end else f"{begin:%H:%M}–{end:%H:%M}"
