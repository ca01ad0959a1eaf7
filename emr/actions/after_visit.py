"""Working off the after-visit list: change what is prefilled, say what was done, or why it is not needed."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.actions.residents import tagging
from clinic.codes import Act, TagSource
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import KeyTag
from emr.codes import ItemState
from emr.models import AfterVisitItem

ANSWER_LIMIT = 1_000


@transaction.atomic
def edit(*, item, facts, by, request=None):
    """Keep what the doctor changed of what is prefilled; return the item. Raises Conflict code "closed"."""
    row = _lock(item, by)
    if row.state != ItemState.OPEN:
        raise _closed(row)
    if row.facts != facts:
        row.facts = facts
        row.save(update_fields=["facts"])
        _tell(row, by, request, "edit")
    return row


@transaction.atomic
def finish(*, item, answer, facts=None, by, request=None):
    """Done, with what was done; the same again is the same row. Refused code "answer" without a word."""
    return _close(item, ItemState.DONE, answer, facts, by, request)


@transaction.atomic
def dismiss(*, item, reason, facts=None, by, request=None):
    """Not needed, with the reason; the same again is the same row. Refused code "answer" without a word."""
    return _close(item, ItemState.DISMISSED, reason, facts, by, request)


@transaction.atomic
def put_on_management(*, item, answer, facts=None, by, request=None):
    """Tag the resident with the chronic diseases of the item, and done; tags there already stay. Raises what
    ``finish`` and the tagging raise (Forbidden code "not-home" elsewhere than at home)."""
    resident = item.resident.survivor
    there = set(KeyTag.objects.filter(resident=resident, until=None).values_list("tag", flat=True))
    for tag in item.facts.get("tags", []):
        if tag not in there:
            tagging.tag(resident=resident, tag=tag, source=TagSource.VISIT, by=by, request=request)
    return _close(item, ItemState.DONE, answer, facts, by, request)


def _close(item, state, answer, facts, by, request):
    row, answer = _lock(item, by), answer.strip()
    if row.state == state and row.answer == answer:
        return row
    if row.state != ItemState.OPEN:
        raise _closed(row)
    if not answer:
        raise Refused(
            _("Please say what was done.") if state == ItemState.DONE else _("Please say why it is not needed."),
            code="answer", field="answer",
        )  # fmt: skip
    if len(answer) > ANSWER_LIMIT:
        words = {"limit": ANSWER_LIMIT, "count": len(answer)}
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % words, code="answer", field="answer"
        )
    row.state, row.answer, row.done_by, row.done_at = state, answer, by, timezone.now()
    if facts is not None:
        row.facts = facts
    row.save(update_fields=["state", "answer", "done_by", "done_at", "facts"])
    _tell(row, by, request, state.value)
    return row


def _lock(item, by):
    row = (
        AfterVisitItem.objects.select_for_update(of=("self",))
        .select_related("resident__home")
        .get(pk=item.pk)
    )
    if row.doctor_id != by.pk or not by.has_perm("emr.change_aftervisititem"):
        raise Forbidden(_("This stands on another doctor's list."), code="author")
    return row


def _closed(row):
    return Conflict(
        _("This was settled already: %(state)s.") % {"state": row.get_state_display()}, code="closed"
    )


def _tell(row, by, request, what):
    audit.record(
        Act.CHANGE, by=by, request=request, resident=row.resident, obj=row,
        detail={"prompt": row.prompt, "act": what},
    )  # fmt: skip
