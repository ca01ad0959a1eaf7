"""What a person may do with a campaign now: release, approve, pause, cancel, copy. Each is one POST to an action."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic import refusals
from clinic.errors import Refused
from messaging.actions import campaigns as actions
from messaging.codes import CampaignKind, CampaignState

SEND, APPROVE = "messaging.send_campaign", "messaging.approve_campaign"
REASON_LIMIT = 200


@dataclass(frozen=True)
class Act:
    """``states``: from which it is lawful. ``asks``: a page with a reason comes first; else one click does it."""

    right: str
    states: tuple
    run: object
    label: str
    done: str
    main: bool = False
    asks: bool = False


OPEN = (
    CampaignState.DRAFT, CampaignState.BUILDING, CampaignState.READY, CampaignState.WAITING, CampaignState.RUNNING,
    CampaignState.PAUSED,
)  # fmt: skip
ACTS = {
    "release": Act(
        SEND, (CampaignState.READY,), actions.release, pgettext_lazy("campaign", "Send"),
        gettext_lazy("Released."), main=True,
    ),
    "approve": Act(
        APPROVE, (CampaignState.WAITING,), actions.approve, pgettext_lazy("campaign", "Approve"),
        gettext_lazy("Approved. It is being sent."), main=True,
    ),
    "reject": Act(
        APPROVE, (CampaignState.WAITING,), actions.reject, pgettext_lazy("campaign", "Send back"),
        gettext_lazy("Sent back to who made it."), asks=True,
    ),
    "pause": Act(
        SEND, (CampaignState.RUNNING,), actions.pause, pgettext_lazy("campaign", "Pause"),
        gettext_lazy("Paused. Nothing new is sent."),
    ),
    "resume": Act(
        SEND, (CampaignState.PAUSED,), actions.resume, pgettext_lazy("campaign", "Go on"),
        gettext_lazy("It goes on."), main=True,
    ),
    "cancel": Act(
        SEND, OPEN, actions.cancel, pgettext_lazy("campaign", "Cancel"),
        gettext_lazy("Cancelled. What was not sent yet will not be sent."), asks=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Button:
    """``choose``: a link to a page that asks first; else a POST at one click."""

    name: str
    address: str
    label: str
    main: bool = False
    choose: bool = False


def lawful(campaign, user, choices) -> list[Button]:
    """The buttons of this campaign for this person now. What is refused all the same (an allowance used up, a second
    person wanted) the action says."""
    if campaign.kind != CampaignKind.BULK:
        return []
    made = [
        Button(name, _address(name, campaign), _label(name, campaign, choices), act.main, act.asks)
        for name, act in ACTS.items()
        if campaign.state in act.states and user.has_perm(act.right) and _is_for(name, campaign, user)
    ]
    if user.has_perm("messaging.add_campaign"):
        again = f"{reverse('admin:messaging_campaign_add')}?from={campaign.uuid}"
        made.append(Button("copy", again, _("Make another like it"), choose=True))
    return made


def _is_for(name, campaign, user):
    """Who made it neither approves nor sends it back."""
    return name not in ("approve", "reject") or campaign.made_by_id != user.pk


def _address(name, campaign):
    return reverse("admin:messaging_campaign_act", args=[campaign.uuid, name])


def _label(name, campaign, choices):
    if name == "release" and campaign.recipients > choices.approval_above:
        return _("Ask for approval")
    return ACTS[name].label


class ReasonForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=REASON_LIMIT)


class CampaignActs:
    """Mixed into CampaignAdmin."""

    def act_urls(self):
        return [self.own_page("<uuid:campaign>/act/<slug:name>/", self.act, "act")]

    def act(self, request, campaign, name):
        row = self.fetch(request, str(campaign))
        act = ACTS.get(name)
        if act is None:
            raise Http404
        if not request.user.has_perm(act.right):
            raise PermissionDenied
        if not act.asks:
            if request.method != "POST":
                raise PermissionDenied
            return self._do(request, row, act)
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            return self._do(request, row, act, reason=form.cleaned_data["reason"])
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "campaign": row, "form": form, "name": name,
            "title": f"{act.label}: {row.name}", "label": act.label,
        }  # fmt: skip
        return TemplateResponse(
            request, "admin/messaging/campaign_ask.html", context, status=400 if form.errors else 200
        )

    def _do(self, request, row, act, **given):
        try:
            done = act.run(campaign=row, by=request.user, request=request, **given)
            waits = act.run is actions.release and done.state == CampaignState.WAITING
            messages.success(
                request, _("A second person has been asked to approve it.") if waits else act.done
            )
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(row))
