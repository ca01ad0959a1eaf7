"""Call tasks: whom a campaign did not reach is called by the station at home.

One task for a campaign and resident (call_once_per_campaign), so that making them again makes only what is missing.
"""

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from clinic import audit
from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from messaging.codes import CallState, MessageState
from messaging.models import CallTask, Campaign, Message

LOST = (MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN)
STEP = 500
NOTE_LIMIT = 200


def uncalled(campaign):
    """Messages that did not arrive, to people still living here for whom nobody has a task yet."""
    called = CallTask.objects.filter(campaign=campaign, resident=OuterRef("resident"))
    rows = Message.objects.filter(
        campaign=campaign, state__in=LOST, call=None, resident__life_state=LifeState.LIVING
    )
    return rows.filter(~Exists(called))


def make(*, campaign, by, request=None, now=None) -> int:
    """Make the tasks that are missing; return how many. Step by step, each in its own transaction: what was cut off
    is gone on with by the next call."""
    if not by.has_perm("messaging.send_campaign"):
        raise Forbidden(_("Your role does not allow this."))
    now = now or timezone.now()
    made, steps = 0, True
    while steps:
        steps = _make_some(campaign, by, now)
        made += steps
    if made:
        audit.record(
            Act.CREATE, by=by, request=request, obj=campaign, detail={"what": "call tasks", "rows": made}
        )
    return made


@transaction.atomic
def _make_some(campaign, by, now):
    locked = Campaign.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=campaign.pk).first()
    if locked is None:
        raise Forbidden(_("This campaign is another institution's."), code="elsewhere")
    # Plus nothing: found through the campaign's index, not through all other campaigns.
    rows = uncalled(locked).select_related("resident__merged_into").order_by(F("pk") + 0)[:STEP]
    tasks = {}
    for message in rows:
        person = message.resident.survivor
        tasks.setdefault(
            message.resident_id,
            CallTask(
                campaign=locked, resident=message.resident, message=message, institution_id=person.home_id, made_at=now
            ),
        )  # fmt: skip
    return len(bulk_create_with_history(list(tasks.values()), CallTask, default_user=by)) if tasks else 0


def close(*, task, state, by, note="", seen=CallState.OPEN, request=None, now=None):
    """Write down what came of the call; return the task. ``seen`` is the state that the person looked at: the same
    outcome again changes nothing, another person's is not overwritten. ``state`` OPEN opens it again.

    Refused codes: state, note; Conflict code: done.
    """
    state, note = _checked(state, note)
    with transaction.atomic():
        row = _lock(task, by)
        if (row.state, row.note) == (state, note):
            return row
        if row.state != seen:
            raise Conflict(_("Somebody has written down an outcome meanwhile."), code="done")
        again = state == CallState.OPEN
        row.state, row.note = state, note
        row.done_by, row.done_at = (None, None) if again else (by, now or timezone.now())
        row.save(update_fields=["state", "note", "done_by", "done_at"])
        audit.record(
            Act.CHANGE, by=by, request=request, resident=row.resident, obj=row, detail={"state": str(state)}
        )
        return row


def _checked(state, note):
    if state not in CallState.values:
        raise Refused(_("Please choose what came of the call."), code="state")
    note = note.strip()
    if len(note) > NOTE_LIMIT:
        raise Refused(_("The remark is longer than 200 characters."), code="note")
    return CallState(state), note


def _lock(task, by):
    if not by.has_perm("messaging.change_calltask"):
        raise Forbidden(_("Your role does not allow this."))
    rows = CallTask.objects.visible_to(by).select_for_update(of=("self",))
    row = rows.select_related("resident__home", "campaign", "message").filter(pk=task.pk).first()
    if row is None:
        raise Forbidden(_("This call is another institution's."), code="elsewhere")
    return row
