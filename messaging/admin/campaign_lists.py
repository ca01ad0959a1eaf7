"""Lists of people of one campaign: whom it did not reach, who was left out; call tasks made of them; the sheet."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import audit, refusals, spreadsheets
from clinic.codes import Act
from clinic.errors import Refused
from messaging import unreached
from messaging.actions import calls
from messaging.admin.messages import masked
from messaging.codes import Left, MessageState

SIZE = 50


class CampaignLists:
    """Mixed into CampaignAdmin."""

    def list_urls(self):
        return [
            self.own_page("<uuid:campaign>/unreached/", self.unreached, "unreached"),
            self.own_page("<uuid:campaign>/left-out/", self.left_out, "left_out"),
            self.own_page("<uuid:campaign>/calls/", self.make_calls, "calls"),
            self.own_page("<uuid:campaign>/export/<str:form>/", self.export, "export"),
        ]

    def unreached(self, request, campaign):
        """``?state=``: one state alone; ``?after=``: the last one seen."""
        row = self._of_people(request, campaign)
        rows = unreached.messages(row, request.user)
        state = request.GET.get("state", "")
        if state:
            rows = rows.filter(state=_known(state, MessageState))
        shown, last = _page(request, rows)
        for message in shown:
            message.shown_phone = masked(message)
        context = {
            "title": _("Not reached: %(name)s") % {"name": row.name}, "rows": shown, "last": last, "state": state,
            "states": unreached.UNREACHED, "uncalled": calls.uncalled(row)[:1000].count(),
            "may_call": request.user.has_perm("messaging.send_campaign"),
        }  # fmt: skip
        return self._list_answer(request, row, "admin/messaging/unreached.html", context)

    def left_out(self, request, campaign):
        """``?why=``: one reason alone."""
        row = self._of_people(request, campaign)
        rows = unreached.left_out(row, request.user)
        why = request.GET.get("why", "")
        if why:
            rows = rows.filter(why=_known(why, Left))
        shown, last = _page(request, rows)
        context = {
            "title": _("Left out: %(name)s") % {"name": row.name}, "rows": shown, "last": last, "why": why,
            "reasons": unreached.left_out_by_reason(row),
        }  # fmt: skip
        return self._list_answer(request, row, "admin/messaging/left_out.html", context)

    def make_calls(self, request, campaign):
        """One click: the stations' lists get the people who were not reached."""
        row = self.fetch(request, str(campaign))
        if request.method != "POST" or not request.user.has_perm("messaging.send_campaign"):
            raise PermissionDenied
        try:
            made = calls.make(campaign=row, by=request.user, request=request)
            words = ngettext("%(n)d call task made.", "%(n)d call tasks made.", made)
            messages.success(
                request, words % {"n": made} if made else _("All of them have their call task already.")
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))

    def export(self, request, campaign, form):
        """The results, numbers masked; ``?all=1``: those who were reached too."""
        row = self._of_people(request, campaign)
        if not request.user.has_perm("messaging.export_campaign"):
            raise PermissionDenied
        if form not in spreadsheets.FORMS:  # before the trail says that it went out
            raise Http404
        every = "all" in request.GET
        detail = {"what": "campaign", "form": form, "all": every}
        audit.record(Act.EXPORT, request=request, obj=row, detail=detail)
        lines = unreached.lines(row, request.user, unreached_only=not every)
        return spreadsheets.answer("messages", form, unreached.headings(), lines)

    def _of_people(self, request, campaign):
        """The campaign, for whom may read its messages."""
        row = self.fetch(request, str(campaign))
        if not request.user.has_perm("messaging.view_message"):
            raise PermissionDenied
        return row

    def _list_answer(self, request, row, template, context):
        audit.record(Act.VIEW, request=request, obj=row, detail={"page": template.rsplit("/", 1)[-1]})
        context = {**self.admin_site.each_context(request), "opts": self.opts, "campaign": row, **context}
        return TemplateResponse(request, template, context)


def _known(text, codes):
    if text not in codes.values:
        raise Http404
    return text


def _page(request, rows):
    """The rows after the one the address names, and the last of them where there are more. Exclusions have no public
    id: they are passed by the resident's."""
    by_resident = not hasattr(rows.model, "uuid")
    field = "resident__uuid" if by_resident else "uuid"
    if text := request.GET.get("after"):
        try:
            key = uuid.UUID(text)
        except ValueError as error:
            raise Http404 from error
        rows = rows.filter(pk__gt=get_object_or_404(rows, **{field: key}).pk)
    found = list(rows[: SIZE + 1])
    if len(found) <= SIZE:
        return found, None
    last = found[SIZE - 1]
    return found[:SIZE], last.resident.uuid if by_resident else last.uuid
