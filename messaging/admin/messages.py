"""Messages at the desk: a list to read, and each message with everything that happened to it."""

import re
import uuid

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit, identifiers, registry
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import FromDay, InstitutionFilter, ToDay
from clinic.codes import Act
from clinic.models import Resident
from messaging import reach, timeline
from messaging.models import Campaign, Message

FOUND = 50
SHORTEST = 4
CAMPAIGNS = 20


class CampaignFilter(admin.SimpleListFilter):
    """One campaign by its public id; the last ones are offered."""

    title = gettext_lazy("campaign")
    parameter_name = "campaign"

    def lookups(self, request, model_admin):
        rows = Campaign.objects.visible_to(request.user)[:CAMPAIGNS]
        return [(str(row.uuid), row.name) for row in rows]

    def has_output(self):
        return True

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        try:
            return queryset.filter(campaign__uuid=uuid.UUID(self.value()))
        except ValueError:
            return queryset.none()


class MadeFrom(FromDay):
    field = "made_at"


class MadeTo(ToDay):
    field = "made_at"


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    paginator = CappedPaginator
    list_display = [
        "made", "resident_name", "shown_phone", "campaign", "carrier", "state", "reason_label", "gateway", "changed",
    ]  # fmt: skip
    list_filter = ["state", "carrier", CampaignFilter, MadeFrom, MadeTo, InstitutionFilter]
    list_select_related = ["resident", "campaign", "gateway"]
    sortable_by = ()
    actions = None
    change_list_template = "admin/messaging/message_list.html"

    def resident_of(self, obj):
        return obj.resident

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows.select_related("resident__home", "campaign__institution", "gateway", "institution")

    @admin.display(description=gettext_lazy("made at"))
    def made(self, message):
        return f"{timezone.localtime(message.made_at):%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("state since"))
    def changed(self, message):
        return f"{timezone.localtime(message.state_at):%m-%d %H:%M}"

    @admin.display(description=gettext_lazy("resident"))
    def resident_name(self, message):
        return message.resident.name if message.resident else _("test send")

    @admin.display(description=gettext_lazy("reason"))
    def reason_label(self, message):
        return message.get_reason_display() if message.reason else "—"

    @admin.display(description=gettext_lazy("phone"))
    def shown_phone(self, message):
        return masked(message)

    # Pages ----------------------------------------------------------------------------------------

    def get_urls(self):
        def page(address, view, name):
            return path(address, self.admin_site.admin_view(view), name=f"messaging_message_{name}")

        return [
            page("find/", self.find, "find"),
            page("of/<uuid:resident>/", self.of_resident, "of"),
            page("<uuid:message>/reveal/", self.reveal, "reveal"),
            *super().get_urls(),
        ]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """The message and its time line."""
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        self.seen(request, row)
        known = (
            row.resident_id and Resident.objects.visible_to(request.user).filter(pk=row.resident_id).exists()
        )
        context = {
            "title": _("Message"), "message_row": row, "events": timeline.of(row), "phone": masked(row),
            "resident_known": known, "campaign_known": _sees(request.user, row.campaign),
        }  # fmt: skip
        return self._answer_page(request, "admin/messaging/message.html", context)

    def find(self, request):
        """By a phone number or its last digits; never in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        text = request.POST.get("q", "")
        digits = re.sub(r"\D", "", identifiers.half_width(text))
        rows = list(self._found(request, digits)[: FOUND + 1]) if len(digits) >= SHORTEST else []
        context = {
            "title": _("Find messages by phone"), "rows": rows[:FOUND], "more": len(rows) > FOUND, "q": text,
            "asked": bool(text.strip()), "short": len(digits) < SHORTEST,
        }  # fmt: skip
        for row in rows:
            row.shown = masked(row)
        return self._answer_page(request, "admin/messaging/message_find.html", context)

    def _found(self, request, digits):
        """A whole number finds what went to it; its tail, what went to the residents who have it now."""
        rows = self.get_queryset(request).order_by("-made_at")
        phone = identifiers.normalise_phone(digits)
        if len(phone) >= 11:
            return rows.filter(phone=phone)
        holders = Resident.objects.visible_to(request.user).filter(phone_reversed__startswith=phone[::-1])
        return rows.filter(resident__in=holders.values("pk")[:FOUND])

    def of_resident(self, request, resident):
        """What went to one resident, and how well it arrives."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Resident.objects.visible_to(request.user).select_related("home")
        person = get_object_or_404(rows, uuid=resident)
        audit.record(Act.VIEW, request=request, resident=person, obj=person, detail={"page": "messages"})
        context = {"title": _("Messages: %(name)s") % {"name": person.name}, "person": person}
        context["panel"] = reach.of(person, request.user)
        return self._answer_page(request, "admin/messaging/reach.html", context)

    def reveal(self, request, message):
        """The number it went to in clear; who looked stands in the trail."""
        row = self.fetch(request, str(message))
        if request.method != "POST" or not request.user.has_perm("clinic.reveal_resident"):
            raise PermissionDenied
        audit.record(Act.REVEAL, request=request, resident=row.resident, obj=row, detail={"field": "phone"})
        return HttpResponse(
            row.phone, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
        )

    def _answer_page(self, request, template, context):
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, template, context)


def _sees(user, campaign):
    """Messages to one's own residents are seen; the campaign of an institution above is not."""
    return Campaign.objects.visible_to(user).filter(pk=campaign.pk).exists()


def masked(message):
    """The masked number and the one click that shows it."""
    address = reverse("admin:messaging_message_reveal", args=[message.uuid])
    return format_html(
        '<span class="desk-masked">{} <button type="button" hx-post="{}" hx-include="#desk-act" hx-params="csrfmiddlewaretoken"'
        ' hx-target="closest .desk-masked">{}</button></span>',
        identifiers.mask_phone(message.phone), address, _("show"),
    )  # fmt: skip


registry.resident_buttons.append(
    registry.ResidentButton(
        "admin:messaging_message_of",
        gettext_lazy("Messages"),
        "messaging.view_message",
        choose=True,
        own=True,
    )
)
