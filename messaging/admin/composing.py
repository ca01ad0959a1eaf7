"""Making a campaign: one page, from the residents ticked in their list, from criteria, or like an earlier one."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin.filters import AgeFilter
from clinic.errors import Refused
from clinic.models import Institution
from messaging import looking, texts
from messaging.actions import campaigns as actions
from messaging.forms.compose import TICKED, ComposeForm
from messaging.jobs import build_campaign
from messaging.models import Campaign, SavedFilter, SmsTemplate

RIGHT = "messaging.add_campaign"


class Composing:
    """Mixed into CampaignAdmin."""

    def compose_urls(self):
        return [
            self.own_page("add/look/", self.look, "look"),
            self.own_page("add/test/", self.test, "test"),
        ]

    def add_view(self, request, form_url="", extra_context=None):
        """An empty form, one like an earlier campaign (``?from=``), or with a saved filter or template chosen."""
        if not request.user.has_perm(RIGHT):
            raise PermissionDenied
        if request.method != "POST":
            return self._compose(request, ComposeForm(initial=self._initial(request), by=request.user))
        form = ComposeForm(request.POST, by=request.user)
        if "look" in request.POST or not form.is_valid():
            return self._compose(request, form, 200 if form.is_valid() else 400)
        try:
            row = actions.make(**form.campaign(), by=request.user, request=request)
            build_campaign.enqueue(row.pk)
        except Refused as refusal:
            if first := refusal.facts.get("campaign"):  # somebody made the same: there it is
                messages.warning(request, refusal.message)
                return HttpResponseRedirect(reverse("admin:messaging_campaign_change", args=[first]))
            form.refuse(refusal)
            return self._compose(request, form, refusal.status)
        return HttpResponseRedirect(self.address_of(row))

    def compose_for(self, request, chosen):
        """The form with an audience chosen elsewhere; nothing is made yet."""
        return self._compose(
            request, ComposeForm(initial={**self._initial(request), **chosen}, by=request.user)
        )

    def look(self, request):
        """What it would be, for the side of the page."""
        if request.method != "POST" or not request.user.has_perm(RIGHT):
            raise PermissionDenied
        form = ComposeForm(request.POST, by=request.user)
        return render(request, "admin/messaging/_look.html", {"look": self._look(request, form)})

    def test(self, request):
        """The text to one's own phone."""
        if request.method != "POST" or not request.user.has_perm(RIGHT):
            raise PermissionDenied
        form = ComposeForm(request.POST, by=request.user)
        if not form.is_valid():
            return self._compose(request, form, 400)
        facts = form.campaign()
        try:
            actions.try_on_self(
                key=_test_key(facts, form.cleaned_data["phone"]), phone=form.cleaned_data["phone"], by=request.user, request=request,
                **{name: facts[name] for name in ("institution", "body", "purpose")},
            )  # fmt: skip
            messages.success(
                request, _("It is on its way to %(phone)s.") % {"phone": form.cleaned_data["phone"][-4:]}
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
        return self._compose(request, form)

    # Inside ---------------------------------------------------------------------------------------

    def _initial(self, request):
        return {"key": uuid.uuid4(), "source": "criteria", **self._like(request), **self._chosen(request)}

    def _like(self, request):
        """What an earlier campaign said."""
        row = _by_uuid(self.get_queryset(request), request.GET.get("from"))
        if row is None:
            return {}
        audience = dict(row.audience)
        ticked = " ".join(audience.pop("residents", []))
        return {
            **audience, "residents": ticked, "institution": row.institution.uuid, "body": row.body, "purpose": row.purpose,
            "template": row.template and row.template.uuid, "urgent": row.urgent, "policy": row.policy,
        }  # fmt: skip

    def _chosen(self, request):
        made = {}
        if kept := _by_uuid(SavedFilter.objects.visible_to(request.user), request.GET.get("filter")):
            made |= kept.criteria
        if template := _by_uuid(SmsTemplate.objects.visible_to(request.user), request.GET.get("template")):
            made |= {"template": template.uuid, "body": template.body, "purpose": template.purpose}
        return made

    def _compose(self, request, form, status=200):
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": _("New campaign"), "form": form,
            "variables": [(f"{{{name}}}", label) for name, label in {**texts.VARIABLES, **texts.offered}.items()],
            "filters": SavedFilter.objects.visible_to(request.user).filter(active=True)[:50],
            "look": self._look(request, form) if form.is_bound else None,
            "selected": form.ticked(), "several_sources": len(form.fields["source"].choices) > 1,
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/compose.html", context, status=status)

    def _look(self, request, form):
        """None while there is no text yet."""
        form.is_valid()
        data = form.cleaned_data
        institution = data.get("institution")
        if institution is None or not data.get("body"):
            return None
        return looking.look(
            institution=institution, audience=form.audience(), purpose=data.get("purpose", ""), body=data["body"],
            send_at=data.get("send_at"), quiet_override=data.get("quiet_override", ""), by=request.user,
        )  # fmt: skip


def _test_key(facts, phone):
    """The same text to the same phone from the same page is one test, however often it is clicked."""
    return uuid.uuid5(facts["key"], f"test {phone} {facts['purpose']} {facts['body']}")


def _by_uuid(rows, text):
    if not text:
        return None
    try:
        return rows.filter(uuid=uuid.UUID(text)).first()
    except ValueError as error:
        raise Http404 from error


# From the residents' list ---------------------------------------------------------------------------------

# Filters of that list that criteria can say; any other one is answered with the rows themselves.
SAID = {"tag", "age", "insurance__exact", "institution", "q", "p"}


def from_list(request, residents):
    """The ticked residents, or all that the list's filters let through, on the page of a new campaign."""
    desk = admin.site.get_model_admin(Campaign)
    if request.POST.get("select_across") == "1" and not request.GET.get("q") and set(request.GET) <= SAID:
        chosen = _filters(request)
    else:
        ticked = [str(row) for row in residents.values_list("uuid", flat=True)[: TICKED + 1]]
        if len(ticked) > TICKED:
            messages.warning(request, _("So many residents are chosen by a filter."))
            return None
        chosen = {"residents": " ".join(ticked)}
    return desk.compose_for(request, chosen)


def _filters(request):
    """The list's filters as criteria."""
    asked = request.GET
    made = {"tags": [asked["tag"]] if asked.get("tag") else [], "source": "criteria"}
    if band := AgeFilter.BANDS.get(asked.get("age")):
        made |= {"age_from": band[0], "age_to": band[1]}
    if insurance := asked.get("insurance__exact"):
        made["insurance"] = [insurance]
    if code := asked.get("institution"):
        made["places"] = _at_and_below(code, request.user)
    return made


def _at_and_below(code, user):
    """The list's filter means an institution and all below it; criteria name each."""
    reach = Institution.objects.under(user.institution).active()
    return [row.uuid for row in reach.under(get_object_or_404(reach, code=code))]


registry.resident_actions.append(
    registry.ResidentAction("send_message", gettext_lazy("Send a message"), RIGHT, from_list)
)
