"""One ticket on a page: what was told, how its clock stands, its story, and what can be done with it now."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic import refusals, registry
from clinic.errors import Refused
from clinic.permissions import needs
from maintenance import contacts, masking, story
from maintenance.actions import pictures
from maintenance.actions import tickets as actions
from maintenance.codes import TICKET_MOVES, Closing, Side, TicketState
from maintenance.forms import tickets as forms
from maintenance.models import Attachment, PictureGrant, Ticket

S = TicketState
# What of a clock's stretches is shown at once.
STRETCHES = 30


@needs("maintenance.add_ticket")
@require_GET
def ticket(request, ticket):
    return _page(request, _fetch(request, ticket))


@needs("maintenance.add_ticket")
@require_POST
def ticket_act(request, ticket, act):
    """One act; refused, the page comes back with the sentence and what was typed."""
    row = _fetch(request, ticket)
    if act not in ACTS:
        raise Http404
    build, run = ACTS[act]
    form = build(row)(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, row, {act: form}, status=400)
    try:
        run(request, row, form.cleaned_data)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _page(request, _fetch(request, ticket), {act: form}, status=refusal.status)
    return redirect("ticket", ticket=row.uuid)


@needs("maintenance.add_ticket")
@require_GET
def picture(request, picture):
    """The picture itself: never kept by a browser, never run by one."""
    rows = Attachment.objects.visible_to(request.user).select_related("ticket")
    row = get_object_or_404(rows, uuid=picture)
    try:
        pictures.open_for(picture=row, user=request.user, request=request)
    except Refused as refusal:
        refusals.tell(request, refusal)
        return _page(request, _fetch(request, row.ticket.uuid), status=refusal.status)
    answer = HttpResponse(bytes(row.data), content_type=row.mime)
    answer["Cache-Control"] = "no-store"
    answer["Content-Disposition"] = f'inline; filename="{row.name}"'
    answer["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _fetch(request, key):
    rows = Ticket.objects.visible_to(request.user).select_related(
        "institution", "reporter", "typed_by", "assignee", "level", "merged_into", "equipment"
    )
    return get_object_or_404(rows.defer("words"), uuid=key)


def _merge(request, row, data):
    into = Ticket.objects.visible_to(request.user).filter(number=data["into"].strip()).first()
    if into is None:
        raise Refused(_("There is no ticket of this number."), code="into", field="into")
    actions.merge(ticket=row, into=into, by=request.user)


def _attach(request, row, data):
    data_read = data["picture"].read(pictures.BYTES + 1)
    pictures.attach(ticket=row, by=request.user, key=data["key"], data=data_read, request=request)


def _plain(form):
    return lambda row: form


def _with_ticket(form):
    return lambda row: lambda *data, **more: form(*data, ticket=row, **more)


# {act: (how its form is made for a ticket, what it does)}
ACTS = {
    "accept": (_plain(forms.forms.Form), lambda request, row, data: actions.accept(ticket=row, by=request.user)),
    "work": (_plain(forms.forms.Form), lambda request, row, data: actions.work(ticket=row, by=request.user)),
    "wait": (_plain(forms.WaitForm), lambda request, row, data: actions.wait(ticket=row, by=request.user, **data)),
    "fix": (_plain(forms.WordsForm), lambda request, row, data: actions.fix(ticket=row, by=request.user, **data)),
    "confirm": (_plain(forms.forms.Form), lambda request, row, data: actions.confirm(ticket=row, by=request.user)),
    "reopen": (_plain(forms.ReasonForm), lambda request, row, data: actions.reopen(ticket=row, by=request.user, **data)),
    "close": (_plain(forms.CloseForm), lambda request, row, data: actions.close(ticket=row, by=request.user, **data)),
    "withdraw": (
        _plain(forms.ReasonForm),
        lambda request, row, data: actions.close(
            ticket=row, by=request.user, closing=Closing.WITHDRAWN, words=data["reason"]
        ),
    ),
    "assign": (_with_ticket(forms.AssignForm), lambda request, row, data: actions.assign(ticket=row, by=request.user, **data)),
    "rate": (_plain(forms.RateForm), lambda request, row, data: actions.rate(ticket=row, by=request.user, **data)),
    "comment": (_plain(forms.CommentForm), lambda request, row, data: actions.comment(ticket=row, by=request.user, **data)),
    "merge": (_plain(forms.MergeForm), _merge),
    "attach": (_plain(forms.PictureForm), _attach),
    "allow": (
        _plain(forms.AllowForm),
        lambda request, row, data: pictures.allow(ticket=row, by=request.user, request=request, **data),
    ),
}  # fmt: skip


def _possible(row, user):
    """[(act, label, whether it is the usual next step)] of what this person may do with it as it is."""
    moves, works, mine = (
        TICKET_MOVES[S(row.state)],
        user.has_perm("maintenance.work_ticket"),
        row.reporter_id == user.pk,
    )
    acts = []
    if works and S.ACCEPTED in moves:
        acts.append(("accept", _("Accept"), True))
    if works and S.WORKING in moves and row.state not in (S.FIXED, S.CONFIRMED, S.CLOSED):
        acts.append(("work", _("Work on it"), row.state != S.NEW))
    if works and S.FIXED in moves:
        acts.append(("fix", _("Fixed"), row.state == S.WORKING))
    if (works or mine) and row.state == S.FIXED:
        acts.append(("confirm", _("It works"), mine))
    if (works or mine) and row.state in (S.FIXED, S.CLOSED):
        acts.append(("reopen", _("It does not work"), False))
    if works and S.WAITING in moves:
        acts.append(("wait", _("Let it wait"), False))
    if works and row.state not in (S.CLOSED, S.MERGED):
        acts += [("assign", _("Assign"), False), ("rate", _("Severity and kind"), False)]
    if works and S.CLOSED in moves and row.state not in (S.FIXED, S.CONFIRMED):
        acts.append(("close", _("Close without a repair"), False))
    if mine and row.state in (S.NEW, S.ACCEPTED, S.WORKING, S.WAITING):
        acts.append(("withdraw", _("Withdraw"), False))
    if user.has_perm("maintenance.merge_ticket") and S.MERGED in moves:
        acts.append(("merge", _("Merge into another"), False))
    return acts


def _forms(row, act):
    if act == "assign":
        return forms.AssignForm(
            ticket=row, initial={"side": row.side, "assignee": row.assignee and row.assignee.uuid}
        )
    if act == "rate":
        level = row.level and row.level.uuid
        return forms.RateForm(initial={"severity": row.severity, "kind": row.kind, "level": level})
    return (
        ACTS[act][0](row)(initial={"key": uuid.uuid4()})
        if act in ("comment", "attach")
        else ACTS[act][0](row)()
    )


def _page(request, row, tried=None, status=200):
    now, user, tried = timezone.now(), request.user, tried or {}
    possible = _possible(row, user)
    works = user.has_perm("maintenance.work_ticket")
    shown = {act: tried.get(act) or _forms(row, act) for act, _label, _usual in possible}
    context = {
        "ticket": row, "heading": masking.read_by(user, row.title), "description": masking.read_by(user, row.description),
        "acts": [(act, label, usual, shown[act], act in tried) for act, label, usual in possible],
        "clock": story.clock_of(row, now, STRETCHES), "events": story.events_of(row, user), "now": now, "works": works,
        "comment": tried.get("comment") or _forms(row, "comment"), "attach": tried.get("attach") or _forms(row, "attach"),
        "open": row.state not in (S.CLOSED, S.MERGED), "pictures": list(row.attachments.defer("data")),
        "may_look": pictures.may_see(user, row, now), "may_allow": user.has_perm("maintenance.add_picturegrant"),
        "grants": PictureGrant.objects.visible_to(user).filter(ticket=row, until__gt=now).select_related("by"),
        "allow": tried.get("allow") or forms.AllowForm(), "calls": _calls(row) if works else [],
        "inquiry": registry.inquiry_link(row.page) if row.page and user.has_perm("emr.inquire_record") else None,
    }  # fmt: skip
    return render(request, "maintenance/tickets/ticket.html", context, status=status)


def _calls(row):
    """[(side, whether it is the one that acts, contact)] nearest to the ticket's institution."""
    found = contacts.nearest(row.institution, Side.values)
    return [(Side(code), code == row.side, found[code]) for code in Side.values if code in found]
