"""Saves that failed: what the server refused it records itself, what never arrived the page tells once it can.

No text of a patient: names of fields we know, a count, a hash, the save's key. Recording never slows a good save and
never raises: a fault of the fault's record must not become the doctor's.
"""

import json
import logging
import math
import re
import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import text
from clinic.errors import Forbidden, Refused
from clinic.logs import request_id
from emr.actions import drafts
from emr.codes import FaultSource
from emr.models import Note, SaveFault

log = logging.getLogger("sheyi.faults")
MOST_AT_ONCE = 50
MOST_OF_A_NOTE = 2_000  # a page gone wild fills no disk
OLDEST = timedelta(days=366)
CODE = re.compile(r"[a-z0-9_-]{0,30}")
HASH = re.compile(r"([0-9a-f]{64})?")
SPACE = uuid.UUID("6f0d4c1e-5a34-4a0e-9d55-3c1d0b8f7a21")  # of the keys that the server makes


def of_note(request, status, code, encounter):
    """The seam for a note's addresses (emr.views.answers.for_script)."""
    _record(request, status, code, Q(encounter__uuid=encounter))


def of_correction(request, status, code, correction):
    _record(request, status, code, Q(corrections__uuid=correction))


def _record(request, status, code, where):
    """One row for each refused save, however often it is repeated. After the failed transaction is gone."""
    try:
        with transaction.atomic():
            note = Note.objects.visible_to(request.user).filter(where).values_list("pk", flat=True).first()
            if note is not None and not _is_full(note):
                fault = _refused(request, status, code, note)
                SaveFault.objects.bulk_create([fault], ignore_conflicts=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the doctor gets the answer that was due
        log.error("a fault was not recorded", extra={"facts": {"kind": type(error).__name__}})


def _refused(request, status, code, note):
    body = _body(request)
    save_key, changes = _uuid(body.get("key")), body.get("changes")
    known = changes if isinstance(changes, dict) and text.find_unstorable(changes) is None else {}
    mark = f"{note}:{save_key or request_id.get()}:{status}:{code}:{body.get('version')!r}"
    return SaveFault(
        key=uuid.uuid5(SPACE, mark),
        note_id=note,
        by=request.user,
        source=FaultSource.SERVER,
        status=status,
        code=code[:30],
        request_id=request_id.get(),
        save_key=save_key,
        version=_version(body.get("version")),
        fields=_names(changes),
        characters=drafts.count_characters(known),
        sha256=drafts.fingerprint(known) if known else "",
    )


def report(*, encounter, by, faults):
    """Store what the page tells of its own failed saves; return how many rows are new.

    ``faults``: at most 50 of {"key", "ago" (seconds), "status", "code", "save_key", "version", "fields",
    "characters", "sha256", "attempts"}. Harmless to repeat: a key has one row. Raises Note.DoesNotExist outside
    the person's reach, Forbidden code "author", Refused code "form".
    """
    note = Note.objects.visible_to(by).only("pk", "author").get(encounter__uuid=encounter)
    if note.author_id != by.pk and not note.corrections.filter(author=by).exists():
        raise Forbidden(_("Only the doctor who writes this note may change it."), code="author")
    if not isinstance(faults, list) or not 0 < len(faults) <= MOST_AT_ONCE:
        _wrong_form()
    now = timezone.now()
    rows = [_told(fault, note.pk, by, now) for fault in faults]
    if _is_full(note.pk):
        return 0
    known = set(SaveFault.objects.filter(key__in=[row.key for row in rows]).values_list("key", flat=True))
    SaveFault.objects.bulk_create(rows, ignore_conflicts=True)
    return len({row.key for row in rows} - known)


def _told(fault, note, by, now):
    """The row of what the page tells. Old terminals' clocks are wrong, so it tells ages and not times."""
    if not isinstance(fault, dict):
        _wrong_form()
    key, ago = _uuid(fault.get("key")), fault.get("ago")
    if key is None or type(ago) not in (int, float) or not math.isfinite(ago):
        _wrong_form()
    if not 0 <= ago <= OLDEST.total_seconds():
        _wrong_form()
    save_key = fault.get("save_key")
    if save_key is not None and _uuid(save_key) is None:
        _wrong_form()
    return SaveFault(
        key=key,
        note_id=note,
        by=by,
        source=FaultSource.BROWSER,
        at=now - timedelta(seconds=ago),
        status=_number(fault.get("status"), 599),
        code=_matching(fault.get("code", ""), CODE),
        request_id=request_id.get(),
        save_key=_uuid(save_key),
        version=None if fault.get("version") is None else _number(fault["version"], 2**31 - 1),
        fields=_known_names(fault.get("fields", [])),
        characters=_number(fault.get("characters", 0), 10**7),
        sha256=_matching(fault.get("sha256", ""), HASH),
        attempts=_number(fault.get("attempts", 1), 10**6),
    )


def _body(request):
    try:
        body = json.loads(request.body)
    except Exception:  # noqa: BLE001 - an unreadable body is what is being told of
        return {}
    return body if isinstance(body, dict) else {}


def _names(changes):
    """Of the fields that a draft has: other names are the sender's words and may hold anything."""
    return sorted(set(changes) & set(Note.DRAFT_FIELDS)) if isinstance(changes, dict) else []


def _known_names(names):
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        _wrong_form()
    if set(names) - set(Note.DRAFT_FIELDS) or len(names) > len(Note.DRAFT_FIELDS):
        _wrong_form()
    return sorted(set(names))


def _number(value, most):
    if type(value) is not int or not 0 <= value <= most:
        _wrong_form()
    return value


def _matching(value, form):
    if not isinstance(value, str) or form.fullmatch(value) is None:
        _wrong_form()
    return value


def _version(value):
    return value if type(value) is int and 0 <= value < 2**31 else None


def _uuid(value):
    try:
        return uuid.UUID(value)
    except (ValueError, AttributeError, TypeError):
        return None


def _is_full(note):
    return SaveFault.objects.filter(note=note)[MOST_OF_A_NOTE - 1 :].exists()


def _wrong_form():
    raise Refused(_("The request does not have the expected form."), code="form")
