"""What residents want, at the desk: their word on each purpose, numbers that want no messages, and what handsets wrote
back."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit, identifiers, refusals, registry
from clinic.admin.base import CappedPaginator, DeskAdmin, DeskForm, ReadOnlyAdmin
from clinic.codes import Act
from clinic.errors import Refused
from clinic.models import Resident
from clinic.registry import DeskTile
from messaging import consent, routing
from messaging.actions import consent as actions
from messaging.admin.phones import PhoneDesk
from messaging.codes import ConsentSource
from messaging.models import Consent, IncomingMessage, OptOut

SHOWN = 50
BY_PEOPLE = [(source.value, source.label) for source in actions.BY_PEOPLE]
WORDS = {"yes": True, "no": False}


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """The list of words, newest first; each resident has a page."""

    addressed = False
    paginator = CappedPaginator
    list_display = ["at", "resident_name", "purpose", "given", "source", "document", "by"]
    list_filter = ["purpose", "given", "source"]
    list_select_related = ["resident", "by"]
    actions = None
    sortable_by = ()
    change_list_template = "admin/messaging/consent_list.html"

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, row):
        address = reverse("admin:messaging_consent_of", args=[row.resident.uuid])
        return format_html('<a href="{}">{}</a>', address, row.resident.name)

    def get_urls(self):
        page = self.admin_site.admin_view(self.of_resident)
        return [path("of/<uuid:resident>/", page, name="messaging_consent_of"), *super().get_urls()]

    def of_resident(self, request, resident):
        """One resident's word on each purpose, as it is and as it was; a new one is written here."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        person = get_object_or_404(
            Resident.objects.visible_to(request.user).select_related("home"), uuid=resident
        )
        if request.method == "POST":
            self._write(request, person)
            return HttpResponseRedirect(reverse("admin:messaging_consent_of", args=[person.uuid]))
        audit.record(Act.VIEW, request=request, resident=person, obj=person, detail={"page": "consent"})
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, **consent_of(person, request.user),
            "title": _("Consent: %(name)s") % {"name": person.name}, "person": person, "sources": BY_PEOPLE,
            "may": request.user.has_perm("messaging.add_consent") and not person.merged_into_id,
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/consent_of.html", context)

    def _write(self, request, person):
        if not request.user.has_perm("messaging.add_consent"):
            raise PermissionDenied
        given = request.POST
        try:
            actions.set_consent(
                resident=person, purpose=given.get("purpose", ""), given=WORDS.get(given.get("word", "")),
                source=given.get("source", ""), document=given.get("document", ""), by=request.user, request=request,
            )  # fmt: skip
            messages.success(request, _("Written down."))
        except Refused as refusal:
            refusals.tell(request, refusal)


def consent_of(person, user):
    """For the page of one resident: ``purposes`` with their last words, ``history``, ``opt_out`` of the number."""
    ids = person.record_ids()
    last = consent.of(ids)
    phone = routing.normalise(person.phone)
    refusal = OptOut.objects.filter(phone=phone, ended_at=None).select_related("incoming", "by").first()
    return {
        "purposes": [(purpose, last.get(purpose.value)) for purpose in actions.ASKED],
        "history": list(
            Consent.objects.filter(resident__in=ids).select_related("by").order_by("-pk")[:SHOWN]
        ),
        "opt_out": refusal if phone else None,
        "phone": identifiers.mask_phone(person.phone) if person.phone else "",
        "sees_opt_out": user.has_perm("messaging.view_optout"),
    }


class OptOutForm(DeskForm):
    source = forms.ChoiceField(label=gettext_lazy("how"), choices=BY_PEOPLE, initial=ConsentSource.DESK)

    class Meta:
        model = OptOut
        fields = ["phone", "source", "document"]
        widgets = {
            "phone": forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
            "document": forms.Textarea({"rows": 2, "cols": 50}),
        }
        help_texts = {"document": gettext_lazy("In the person's own words, or the form that was signed.")}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if document := self.fields.get("document"):
            document.required = True

    def validate_constraints(self):
        """A number that is on the list already stays there: no error."""


class InForceFilter(admin.SimpleListFilter):
    """Those that hold now, and those that the person has taken back."""

    title = gettext_lazy("state")
    parameter_name = "held"
    ENDED = {"yes": False, "no": True}

    def lookups(self, request, model_admin):
        return [("yes", _("wants no messages")), ("no", _("taken back"))]

    def queryset(self, request, queryset):
        ended = self.ENDED.get(self.value())
        return queryset if ended is None else queryset.filter(ended_at__isnull=not ended)


@admin.register(OptOut)
class OptOutAdmin(PhoneDesk, DeskAdmin):
    form = OptOutForm
    list_display = ["shown_phone", "since", "source", "proof", "by", "ended_at"]
    list_filter = [InForceFilter, "source"]
    list_select_related = ["incoming", "by"]
    find_columns = ["since", "source", "proof", "ended_at"]
    find_order = "-since"
    actions = None
    sortable_by = ()
    change_form_template = "admin/messaging/optout_form.html"

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("incoming", "by", "ended_by")

    def get_fields(self, request, obj=None):
        if obj is None:
            return ["phone", "source", "document"]
        ended = ["ended_at", "ended_by", "ended_document"] if obj.ended_at else []
        return ["since", "source", "proof", "by", *ended]

    def get_readonly_fields(self, request, obj=None):
        return self.get_fields(request, obj) if obj else []

    def has_change_permission(self, request, obj=None):
        """Rows are ended by their own button; nothing of them is typed over."""
        return obj is None and super().has_change_permission(request, obj)

    @admin.display(description=gettext_lazy("what was said"))
    def proof(self, row):
        return row.incoming.text if row.incoming else row.document or "—"

    def save_model(self, request, obj, form, change):
        kept = actions.opt_out(
            phone=obj.phone, source=obj.source, document=obj.document, by=request.user, request=request
        )
        obj.pk, obj.uuid = kept.pk, kept.uuid

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None:
            context["may_end"] = obj.ended_at is None and request.user.has_perm("messaging.change_optout")
            context["phone"] = self.masked(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_urls(self):
        page = self.admin_site.admin_view(self.end)
        return [path("<uuid:row>/end/", page, name="messaging_optout_end"), *super().get_urls()]

    def end(self, request, row):
        """The person wants messages again."""
        found = self.fetch(request, str(row))
        if request.method != "POST" or not request.user.has_perm("messaging.change_optout"):
            raise PermissionDenied
        try:
            actions.end_opt_out(
                opt_out=found, document=request.POST.get("document", ""), reason=request.POST.get("reason", ""),
                by=request.user, request=request,
            )  # fmt: skip
            messages.success(request, _("This number may get messages again."))
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(found))


@admin.register(IncomingMessage)
class IncomingMessageAdmin(PhoneDesk, ReadOnlyAdmin):
    list_display = ["received", "shown_phone", "said", "meaning", "gateway"]
    list_filter = ["meaning"]
    list_select_related = ["gateway"]
    fields = ["shown_phone", "received_at", "text", "meaning", "to", "gateway", "part_of"]
    find_columns = ["received", "said", "meaning", "gateway"]
    actions = None
    sortable_by = ()

    @admin.display(description=gettext_lazy("received at"))
    def received(self, row):
        return f"{timezone.localtime(row.received_at):%Y-%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("text"))
    def said(self, row):
        return row.text if len(row.text) <= 60 else f"{row.text[:60]}…"

    @admin.display(description=gettext_lazy("part"))
    def part_of(self, row):
        return f"{row.part} / {row.parts}"

    def get_readonly_fields(self, request, obj=None):
        return self.fields


registry.desk_tiles += [
    DeskTile("admin:messaging_consent_changelist", gettext_lazy("Consent to messages"), gettext_lazy("What residents agreed to and refused"), ("messaging.add_optout",), order=42),
    DeskTile("admin:messaging_optout_changelist", gettext_lazy("Opt-outs"), gettext_lazy("Numbers that want no messages, with the proof"), ("messaging.view_optout",), order=43),
    DeskTile("admin:messaging_incomingmessage_changelist", gettext_lazy("Incoming messages"), gettext_lazy("What handsets wrote back"), ("messaging.view_incomingmessage",), order=44),
]  # fmt: skip
