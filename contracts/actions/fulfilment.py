"""Confirming that a planned service was done 履约: proposals with one click, or by hand in words.

Locks: agreement, planned service, evidence. ``done`` is counted anew under the lock, never added to.
"""

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from contracts.codes import EvidenceKind, EvidenceState
from contracts.models import Agreement, Evidence, PlanItem

E = EvidenceState
LONGEST = 200


def confirm(*, evidence, by, note="", request=None, now=None):
    """It was done. A second time changes nothing. Conflict codes: state, closed."""
    return _decide(evidence, E.CONFIRMED, by, note, request, now)


def confirm_many(*, rows, by, request=None, now=None) -> int:
    """Each in its own transaction, in one order; returns how many were confirmed. What cannot be is left."""
    done = 0
    for row in sorted(rows, key=lambda one: (one.plan_id, one.pk)):
        try:
            confirm(evidence=row, by=by, request=request, now=now)
            done += 1
        except Conflict:
            continue
    return done


def decline(*, evidence, by, note="", request=None, now=None):
    """It does not count for this service. Conflict code: state."""
    return _decide(evidence, E.DECLINED, by, note, request, now)


def withdraw(*, evidence, by, note, request=None, now=None):
    """A confirmed one was confirmed in error. Refused code: note; Conflict code: state."""
    if not note.strip():
        raise Refused(_("Please give a short reason."), code="note", field="note")
    return _decide(evidence, E.WITHDRAWN, by, note, request, now)


def retract(*, evidence, now=None) -> bool:
    """What shows it was undone: a proposal goes. What a person has decided meanwhile stays; returns whether it went."""
    with transaction.atomic():
        _lock(evidence.plan_id, None)
        row = Evidence.objects.select_for_update().get(pk=evidence.pk)
        if row.state != E.PROPOSED:
            return False
        row.state, row.decided_at = E.WITHDRAWN, now or timezone.now()
        row.save(update_fields=["state", "decided_at"])
        return True


def by_hand(*, plan, on, note, by, key, request=None, now=None):
    """Written down in words, confirmed at once; the same ``key`` returns the first one.

    ``on`` lies in the window: what comes later counts for the next window's line. Refused codes: note, day; Conflict
    codes: closed, key.
    """
    now, note = now or timezone.now(), _words(note)
    if not note:
        raise Refused(
            _("What was done? Evidence entered by hand says it in words."), code="note", field="note"
        )
    _may(by)
    with transaction.atomic():
        line = _lock(plan.pk, by)
        if known := Evidence.objects.filter(uuid=key).first():
            if known.plan_id != line.pk:
                raise Conflict(_("This key belongs to another service."), code="key")
            return known
        if line.closed_on is not None:
            raise Conflict(_("Its agreement is over: nothing is due any more."), code="closed")
        if not line.due_from <= on <= min(line.due_to, timezone.localdate(now)):
            raise Refused(
                _("The day lies in the window of the service and not after today."), code="day", field="on"
            )
        made = Evidence.objects.create(
            uuid=key, plan=line, team_id=line.team_id, kind=EvidenceKind.BY_HAND, state=E.CONFIRMED, on=on, note=note,
            done_by=by, made_at=now, decided_by=by, decided_at=now,
        )  # fmt: skip
        _count(line)
        _told(made, line, by, request)
        return made


def _decide(evidence, state, by, note, request, now):
    note = _words(note)
    _may(by)
    with transaction.atomic():
        line = _lock(evidence.plan_id, by)
        row = Evidence.objects.select_for_update().get(pk=evidence.pk)
        if row.state == state:
            return row
        if (row.state, state) not in MOVES:
            raise Conflict(_("This has been decided already."), code="state")
        if state == E.CONFIRMED and line.closed_on is not None and row.on > line.closed_on:
            raise Conflict(_("Its agreement was over by then."), code="closed")
        row.state, row.note = state, note or row.note
        row.decided_by, row.decided_at = by, now or timezone.now()
        row.save(update_fields=["state", "note", "decided_by", "decided_at"])
        _count(line)
        _told(row, line, by, request)
        return row


MOVES = {
    (E.PROPOSED, E.CONFIRMED), (E.PROPOSED, E.DECLINED), (E.DECLINED, E.CONFIRMED), (E.CONFIRMED, E.WITHDRAWN),
}  # fmt: skip


def _lock(plan, by):
    """The planned service, its agreement locked before it. One beyond the reach is forbidden."""
    agreement = PlanItem.objects.values_list("agreement", flat=True).get(pk=plan)
    reach = Agreement.objects.all() if by is None else Agreement.objects.visible_to(by)
    if not reach.filter(pk=agreement).exists():
        raise Forbidden(_("This agreement is another institution's."), code="elsewhere")
    held = (
        Agreement.objects.select_for_update(of=("self",)).select_related("resident__home").get(pk=agreement)
    )
    line = PlanItem.objects.select_for_update(of=("self",)).get(pk=plan)
    line.agreement = held
    return line


def _count(line):
    confirmed = Evidence.objects.confirmed()
    line.done = confirmed.filter(plan=line).count()
    line.save(update_fields=["done"])
    served = confirmed.filter(plan__agreement=line.agreement_id).aggregate(last=Max("on"))["last"]
    if served != line.agreement.last_served_on:
        line.agreement.last_served_on = served
        line.agreement.save(update_fields=["last_served_on"])


def _may(by):
    if not by.has_perm("contracts.confirm_evidence"):
        raise Forbidden(_("Your role does not allow this."))


def _told(row, line, by, request):
    audit.record(
        Act.SERVE,
        by=by,
        request=request,
        resident=line.agreement.resident,
        obj=row,
        detail={"state": str(row.state)},
    )


def _words(note):
    note = note.strip()
    if len(note) > LONGEST:
        raise Refused(_("The remark is longer than 200 characters."), code="note", field="note")
    return note
