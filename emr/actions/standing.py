"""What stays true of a resident: carried, confirmed, changed."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from emr import standing_history
from emr.codes import StandingKind
from emr.models import StandingHistory


@transaction.atomic
def write(*, resident, kind, text, version, by, request=None):
    """Write one kind of standing history and confirm it by that; return the row.

    ``version`` is the one that was shown, 0 where there was none. The same text again is the same row. Raises
    Conflict code "stale" with the other's line; Refused code "kind" or "long"; Forbidden code "grant".
    """
    person = _writable(resident, by)
    if kind not in StandingKind.values or kind == StandingKind.ALLERGY:
        raise Refused(_("This is written elsewhere."), code="kind")
    if len(text) > standing_history.TEXT_LIMIT:
        words = {"limit": standing_history.TEXT_LIMIT, "count": len(text)}
        raise Refused(_("At most %(limit)d characters; these are %(count)d.") % words, code="long")
    shown = _shown(person, [kind]).get(kind)
    if shown is not None and shown.version == version + 1 and _is_mine(shown, text, by):
        return shown  # asked again after the answer was lost
    if (shown.version if shown else 0) != version:
        raise _stale([shown])
    row = _confirm(person, kind, shown, by, text=text)
    audit.record(
        Act.CHANGE, by=by, request=request, resident=person, obj=row, detail={"fields": [kind]},
    )  # fmt: skip
    return row


@transaction.atomic
def confirm(*, resident, versions, allergies, by, request=None):
    """Say of what was shown that it is still correct: {kind: version shown}; return the rows.

    ``allergies`` is the line of allergies as shown, which the ground floor's rows must still say. Raises Conflict
    code "stale" with the lines that differ; Refused code "nothing" or "kind"; Forbidden code "grant".
    """
    person = _writable(resident, by)
    if not versions:
        raise Refused(_("There is nothing to confirm yet."), code="nothing")
    if set(versions) - set(StandingKind.values):
        raise Refused(_("This is written elsewhere."), code="kind")
    kinds = [kind for kind in StandingKind.values if kind in versions]
    shown = _shown(person, kinds)
    changed = [
        row
        for kind, row in shown.items()
        if row.version != versions[kind] and not _just_now(row, versions, by)
    ]
    if changed or any(versions[kind] and kind not in shown for kind in kinds):
        raise _stale(changed)
    if StandingKind.ALLERGY in kinds:
        _must_still_say(person, allergies)
    rows = [_confirm(person, kind, shown.get(kind), by) for kind in kinds]
    audit.record(
        Act.CHANGE, by=by, request=request, resident=person, obj=rows[0],
        detail={"fields": kinds, "confirmed": True},
    )  # fmt: skip
    return rows


def take_over(note, visit, by):
    """The past history of a signed note becomes the resident's standing one, unless it was only carried.

    In the signature's transaction: read the row under a lock, write it and its history. Two visits of one person
    that are signed at once follow each other; the later signature stands.
    """
    mark = note.marks.get("past_history") if isinstance(note.marks, dict) else None
    carried = isinstance(mark, dict) and mark.get("how") == "carried"
    text = note.past_history.strip()
    if not text or carried:
        return None
    person = visit.resident.survivor
    shown = _shown(person, [StandingKind.PAST]).get(StandingKind.PAST.value)
    return _confirm(person, StandingKind.PAST, shown, by, text=text, overwrite=True)


def follow(before, after, visit, by):
    """A correction changed the past history of a signed note, or made the note void (``after`` is then None): what
    the resident's standing one had from it follows; what was written since stays. In the correction's transaction.
    """
    person = visit.resident.survivor
    shown = _shown(person, [StandingKind.PAST]).get(StandingKind.PAST.value)
    if shown is None or not before.strip() or shown.text != before.strip() or before == after:
        return None
    if after is None:
        # What stood there before this visit was signed; the same text was only confirmed by it, and stays.
        former = (
            shown.history.filter(confirmed_at__lt=visit.finished_at) if visit.finished_at else shown.history
        )
        earlier = former.order_by("-confirmed_at", "-history_id").first()
        after = earlier.text if earlier else ""
        if after == shown.text:
            return None
    return _confirm(person, StandingKind.PAST, shown, by, text=after.strip(), overwrite=True)


def _writable(resident, by):
    if (
        not by.has_perm("emr.write_note")
        or not Resident.objects.visible_to(by).filter(pk=resident.pk).exists()
    ):
        raise Forbidden(
            _("This resident belongs to another institution. Please open the record with a reason first."),
            code="grant",
        )
    return resident


def _shown(person, kinds):
    """{kind: the row confirmed last} of the whole file, locked; ``own`` is the person's own row of that kind."""
    rows = StandingHistory.objects.of_file(person).filter(kind__in=kinds).select_for_update(of=("self",))
    found = {}
    for row in rows:
        first = found.setdefault(row.kind, row)
        if row is first:
            row.own = None
        if row.resident_id == person.pk:
            first.own = row
    return found


def _confirm(person, kind, shown, by, text=None, overwrite=False):
    """Put the text (else that shown) on the person's own row with the confirmation; return it.

    The row shown may be that of an absorbed resident: then the survivor's is brought up to it, or made. Where
    somebody made it a moment ago, ``overwrite`` says that this text stands, else that is a Conflict.
    """
    said = text if text is not None else shown.text if shown is not None else ""
    base = shown.version if shown is not None else 0
    if shown is not None and shown.own is not None:
        return _put(shown.own, by, said, max(shown.own.version, base) + 1)
    try:
        with transaction.atomic():
            return _put(StandingHistory(resident=person, kind=kind), by, said, base + 1)
    except IntegrityError:
        row = StandingHistory.objects.select_for_update().get(resident=person, kind=kind)
        if not overwrite:
            raise _stale([row]) from None
        return _put(row, by, said, row.version + 1)


def _put(row, by, text, version):
    row.text, row.confirmed_by, row.confirmed_at, row.version = text, by, timezone.now(), version
    row.save()
    return row


def _is_mine(row, text, by):
    return row.confirmed_by_id == by.pk and row.text == text


def _just_now(row, versions, by):
    """The same confirmation, asked again after the answer was lost."""
    return row.confirmed_by_id == by.pk and row.version == versions[row.kind] + 1


def _must_still_say(person, said):
    rows = standing_history.allergies_of_file(person)
    now = standing_history.allergy_text(person, rows)
    if now != said:
        raise Conflict(
            _("The allergies on record changed meanwhile: %(text)s. Please look at them once more.")
            % {"text": now or "—"},
            code="allergies",
            allergies=now,
        )


def _stale(rows):
    """Somebody was here first: their lines, so that nothing typed is lost and nothing overwritten."""
    theirs = [
        {
            "kind": row.kind,
            "text": row.text,
            "version": row.version,
            "by": row.confirmed_by.name if row.confirmed_by else "",
            "on": date_format(timezone.localtime(row.confirmed_at), "Y-m-d"),
        }
        for row in rows
        if row is not None
    ]
    return Conflict(
        _("Somebody changed this meanwhile. Please look at it once more."), code="stale", theirs=theirs
    )
