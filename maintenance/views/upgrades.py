"""Upgrades on pages: the plan, the gate, who knows of it, the watch, the review."""

import uuid

from django.forms import Form
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic import refusals
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance.actions import upgrades as actions
from maintenance.codes import UPGRADE_MOVES, UpgradeState
from maintenance.forms.upgrades import MoveForm, PlanForm, ReasonForm, ReviewForm
from maintenance.models import Upgrade, UpgradeSite
from maintenance.upgrading import gate, window

U = UpgradeState
SHOWN = 60


@needs("maintenance.view_upgrade")
@require_GET
def upgrades(request):
    rows = Upgrade.objects.visible_to(request.user).select_related("responsible")[:SHOWN]
    mine = UpgradeSite.objects.visible_to(request.user).filter(
        upgrade__state=U.ANNOUNCED, acknowledged_at=None, overridden_at=None
    )
    may = request.user.has_perm("maintenance.acknowledge_upgrade")
    context = {
        "upgrades": rows,
        "waiting": list(mine.select_related("upgrade", "institution")[:SHOWN]) if may else [],
    }
    return render(request, "maintenance/upgrades/list.html", context)


@needs("maintenance.view_upgrade", "maintenance.add_upgrade")
@require_http_methods(["GET", "POST"])
def plan_upgrade(request):
    form = PlanForm(request.POST or None, user=request.user, initial={"key": uuid.uuid4()})
    return _planned(request, form, None)


@needs("maintenance.view_upgrade", "maintenance.change_upgrade")
@require_http_methods(["GET", "POST"])
def change_upgrade(request, upgrade):
    row = _fetch(request, upgrade)
    sites = list(row.sites.select_related("institution"))
    initial = {name: getattr(row, name) for name in actions.FIELDS} | {
        "key": row.uuid, "responsible": row.responsible.uuid, "plan": row.plan and row.plan.uuid,
        "places": [site.institution.uuid for site in sites], "businesses": sorted({code for site in sites for code in site.businesses}),
        "starts_at": timezone.localtime(row.starts_at), "ends_at": timezone.localtime(row.ends_at),
    }  # fmt: skip
    return _planned(request, PlanForm(request.POST or None, user=request.user, initial=initial), row)


@needs("maintenance.view_upgrade")
@require_GET
def upgrade(request, upgrade):
    return _page(request, _fetch(request, upgrade))


@needs("maintenance.view_upgrade")
@require_POST
def upgrade_act(request, upgrade, act):
    row = _fetch(request, upgrade)
    if act not in ACTS:
        raise Http404
    form_class, run = ACTS[act]
    form = form_class(request.POST)
    if not form.is_valid():
        return _page(request, row, {act: form}, status=400)
    try:
        run(upgrade=row, by=request.user, request=request, **form.cleaned_data)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _page(request, _fetch(request, upgrade), {act: form}, status=refusal.status)
    return redirect("upgrade", upgrade=row.uuid)


@needs("maintenance.view_upgrade", "maintenance.acknowledge_upgrade")
@require_POST
def acknowledge(request, upgrade, place):
    row = _site(request, upgrade, place)
    try:
        actions.acknowledge(site=row, by=request.user, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("upgrade", upgrade=row.upgrade.uuid)


@needs("maintenance.view_upgrade", "maintenance.override_upgrade")
@require_POST
def override(request, upgrade, place):
    row, form = _site(request, upgrade, place), ReasonForm(request.POST)
    try:
        reason = form.cleaned_data["reason"] if form.is_valid() else ""
        actions.override(site=row, by=request.user, reason=reason, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
    return redirect("upgrade", upgrade=row.upgrade.uuid)


ACTS = {
    "assess": (Form, actions.assess), "approve": (Form, actions.approve), "announce": (Form, actions.announce),
    "begin": (Form, actions.begin), "finish": (Form, actions.finish), "move": (MoveForm, actions.move),
    "roll-back": (ReasonForm, actions.roll_back), "close": (ReviewForm, actions.close), "cancel": (ReasonForm, actions.cancel),
}  # fmt: skip


def _planned(request, form, row):
    if form.is_valid():
        given = form.given()
        try:
            if row is None:
                row = actions.plan(by=request.user, request=request, **given)
            else:
                del given["key"]
                actions.change(upgrade=row, by=request.user, request=request, **given)
            return redirect("upgrade", upgrade=row.uuid)
        except Refused as refusal:
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
    return render(
        request,
        "maintenance/upgrades/plan.html",
        {"form": form, "upgrade": row},
        status=400 if form.errors else 200,
    )


def _fetch(request, key):
    rows = Upgrade.objects.visible_to(request.user).select_related(
        "plan", "responsible", "author", "assessed_by", "approved_by"
    )
    return get_object_or_404(rows, uuid=key)


def _site(request, upgrade, place):
    rows = UpgradeSite.objects.visible_to(request.user).select_related("upgrade", "institution")
    return get_object_or_404(rows, upgrade__uuid=upgrade, institution__uuid=place)


def _page(request, row, tried=None, status=200):
    now, user, tried = timezone.now(), request.user, tried or {}
    sites = list(row.sites.select_related("institution", "acknowledged_by", "overridden_by"))
    here = set(UpgradeSite.objects.visible_to(user).filter(upgrade=row).values_list("pk", flat=True))
    for site in sites:
        site.mine = site.pk in here
    before = row.state in (U.DRAFT, U.ASSESSED, U.APPROVED, U.ANNOUNCED)
    hours = list(row.hours.all())
    context = {
        "upgrade": row, "sites": sites, "gate": gate.lines(row, now, sites) if before else [], "hours": hours,
        "alarming": [hour for hour in hours if hour.alarming], "notices": row.notices.all()[:10], "now": now,
        "acts": [(act, label, tried.get(act) or _form(act, row), act in tried, usual) for act, label, usual in _possible(row, user)],
        "traffic": window.look(row.starts_at, row.ends_at, [site.institution.path for site in sites], now) if before and sites else None,
        "override": ReasonForm(), "may_change": user.has_perm("maintenance.change_upgrade") and row.state in actions.CHANGING,
    }  # fmt: skip
    return render(request, "maintenance/upgrades/upgrade.html", context, status=status)


def _form(act, row):
    if act == "move":
        return MoveForm(
            initial={
                "starts_at": timezone.localtime(row.starts_at),
                "ends_at": timezone.localtime(row.ends_at),
            }
        )
    return ACTS[act][0]()


def _possible(row, user):
    """[(act, label, whether it is the usual next step)]."""
    moves, runs = UPGRADE_MOVES[U(row.state)], user.has_perm("maintenance.run_upgrade")
    acts = []
    if U.ASSESSED in moves and user.has_perm("maintenance.assess_upgrade"):
        acts.append(("assess", _("Assessed"), True))
    if U.APPROVED in moves and user.has_perm("maintenance.approve_upgrade") and row.author_id != user.pk:
        acts.append(("approve", pgettext("upgrade", "Approve"), True))
    if runs:
        steps = (
            (U.ANNOUNCED, "announce", _("Announce"), True), (U.RUNNING, "begin", _("Begin"), True), (U.WATCHING, "finish", _("It is over, watch it"), True),
            (U.CLOSED, "close", _("Close with the review"), True), (U.ROLLED_BACK, "roll-back", _("Roll back"), False),
        )  # fmt: skip
        acts += [(act, label, usual) for state, act, label, usual in steps if state in moves]
        if row.state == U.ANNOUNCED:
            acts.append(("move", _("Move the window"), False))
        if U.CANCELLED in moves:
            acts.append(("cancel", _("Cancel the upgrade"), False))
    return acts
