"""What people type about tickets: the report, and what each act on one asks for."""

import uuid

from django import forms
from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from clinic.models import Institution
from clinic.permissions import ROLES
from maintenance import queue
from maintenance.actions.pictures import LONGEST_HOURS
from maintenance.actions.tickets import LONGEST_REASON, LONGEST_TEXT, LONGEST_TITLE
from maintenance.codes import EXAMPLES, Channel, Closing, Module, Severity, Side, TicketKind, WaitingFor
from maintenance.models import Equipment, ServiceLevel

# Nothing is chosen for anybody.
NOTHING = ("", "—")
NO_NAMES = _("Write what the screen did; no names or numbers of patients.")
WORKERS = sorted(role for role, grant in ROLES.items() if "maintenance.work_ticket" in grant.permissions)
TYPED = [choice for choice in Channel.choices if choice[0] not in (Channel.PROBE,)]


class Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self, **options):
        super().__init__(format="%Y-%m-%dT%H:%M", **options)


class ReportForm(forms.Form):
    """A problem as its reporter tells it; ``page`` and ``request`` come from the page it was seen on."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    page = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    request = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40)
    kind = forms.ChoiceField(
        label=_("kind"), choices=TicketKind.choices, widget=forms.RadioSelect, initial=TicketKind.FAULT
    )
    title = forms.CharField(label=_("in one line"), max_length=LONGEST_TITLE, help_text=NO_NAMES)
    module = forms.ChoiceField(label=_("module"), choices=[NOTHING, *Module.choices])
    severity = forms.ChoiceField(
        label=_("severity"), widget=forms.RadioSelect, initial=Severity.ORDINARY, choices=Severity.choices
    )
    description = forms.CharField(
        label=_("description"), max_length=LONGEST_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What was done, what was expected, what happened instead."),
    )  # fmt: skip

    examples = [(value, Severity(value).label, text) for value, text in EXAMPLES.items()]


class IntakeForm(ReportForm):
    """A problem that reached us by another way, told for somebody else."""

    channel = forms.ChoiceField(label=_("channel"), choices=TYPED, initial=Channel.HOTLINE)
    reported_at = forms.DateTimeField(label=_("reported at"), widget=Moment, initial=timezone.localtime)
    place = forms.ModelChoiceField(Institution.objects.none(), label=_("institution"), to_field_name="uuid")
    reporter_name = forms.CharField(label=_("reporter's name"), max_length=60)
    reporter_phone = forms.CharField(label=_("reporter's phone"), max_length=30, required=False)
    equipment = forms.ModelChoiceField(
        Equipment.objects.none(), label=_("equipment"), to_field_name="uuid", required=False
    )
    side = forms.ChoiceField(
        label=_("who acts first"), choices=[("", _("as the module says")), *Side.choices], required=False
    )
    field_order = [
        "key",
        "kind",
        "channel",
        "reported_at",
        "place",
        "reporter_name",
        "reporter_phone",
        "title",
        "module",
    ]

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["place"].queryset = Institution.objects.under(user.institution).active()
        things = Equipment.objects.visible_to(user).filter(active=True).select_related("institution")
        self.fields["equipment"].queryset = things
        self.fields["equipment"].label_from_instance = lambda row: f"{row.institution} · {row.name}"

    def clean(self):
        data = super().clean()
        thing, place = data.get("equipment"), data.get("place")
        if thing and place and thing.institution_id != place.pk:
            self.add_error("equipment", _("This equipment stands in another institution."))
        return data


class QueueForm(forms.Form):
    """What narrows the queue; the typed text comes by POST alone."""

    show = forms.ChoiceField(label=_("list"), required=False)
    kind = forms.ChoiceField(label=_("kind"), choices=[("", _("all")), *TicketKind.choices], required=False)
    severity = forms.ChoiceField(
        label=_("severity"), choices=[("", _("all")), *Severity.choices], required=False
    )
    module = forms.ChoiceField(label=_("module"), choices=[("", _("all")), *Module.choices], required=False)
    side = forms.ChoiceField(
        label=pgettext_lazy("ticket", "side"), choices=[("", _("all")), *Side.choices], required=False
    )
    place = forms.ModelChoiceField(
        Institution.objects.none(),
        label=_("institution"),
        to_field_name="uuid",
        required=False,
        empty_label=_("all"),
    )
    q = forms.CharField(label=_("number, words or initials"), max_length=40, required=False)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        lists = queue.lists_of(user)
        self.fields["show"].choices = list(lists.items())
        if len(lists) == 1:
            for name in ("show", "side", "place"):
                del self.fields[name]
        else:
            self.fields["place"].queryset = Institution.objects.under(user.institution).active()


class WaitForm(forms.Form):
    waiting_for = forms.ChoiceField(label=_("waiting for"), choices=[NOTHING, *WaitingFor.choices])
    reason = forms.CharField(label=_("reason"), max_length=LONGEST_REASON)


class WordsForm(forms.Form):
    words = forms.CharField(
        label=_("what was done"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )


class CommentForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    words = forms.CharField(
        label=pgettext_lazy("ticket", "comment"),
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=NO_NAMES,
    )
    internal = forms.BooleanField(label=_("for those who work on it only"), required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("reason"), max_length=LONGEST_REASON)


class CloseForm(forms.Form):
    closing = forms.ChoiceField(
        label=_("closed because"),
        choices=[
            NOTHING,
            *(one for one in Closing.choices if one[0] in (Closing.ANSWERED, Closing.NO_FAULT)),
        ],
    )
    words = forms.CharField(
        label=_("in words"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 2})
    )


class AssignForm(forms.Form):
    side = forms.ChoiceField(label=pgettext_lazy("ticket", "side"), choices=Side.choices)
    assignee = forms.ModelChoiceField(
        get_user_model().objects.none(), label=_("assigned to"), to_field_name="uuid", required=False, empty_label=_("nobody yet")
    )  # fmt: skip
    words = forms.CharField(label=_("remark"), max_length=LONGEST_REASON, required=False)

    def __init__(self, *args, ticket, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["assignee"].queryset = workers_on(ticket)
        self.fields["assignee"].label_from_instance = lambda one: f"{one.name} · {one.get_role_display()}"


class RateForm(ReasonForm):
    severity = forms.ChoiceField(label=_("severity"), choices=Severity.choices)
    kind = forms.ChoiceField(label=_("kind"), choices=TicketKind.choices)
    level = forms.ModelChoiceField(
        ServiceLevel.objects.none(),
        label=_("service level"),
        to_field_name="uuid",
        required=False,
        empty_label="—",
    )
    field_order = ["severity", "kind", "level", "reason"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["level"].queryset = ServiceLevel.objects.filter(active=True)


class MergeForm(forms.Form):
    into = forms.CharField(label=_("number of the other ticket"), max_length=20)


class PictureForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    picture = forms.FileField(
        label=_("picture of the screen"), help_text=_("PNG, JPEG or WEBP, at most 5 MB."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/webp"}),
    )  # fmt: skip


class AllowForm(ReasonForm):
    hours = forms.IntegerField(label=_("for hours"), min_value=1, max_value=LONGEST_HOURS, initial=8)
    field_order = ["hours", "reason"]


class FilterForm(forms.Form):
    name = forms.CharField(label=_("name of the filter"), max_length=30)


def workers_on(ticket):
    """Those who may have it: people above and at its institution who work on tickets, and the vendor's."""
    rows = get_user_model().objects.filter(
        is_active=True, role__in=WORKERS, institution__path__in=ticket.institution.paths_up
    )
    return rows.select_related("institution").order_by("role", "name")
