"""A person's own saves: newest first, by receipt number, by visit."""

import re
import unicodedata
from datetime import date

from django.db.models import Q
from django.utils import timezone

from emr.models import Encounter, Save, SaveFault
from emr.saved import inquiry

PAGE = 30
VISITS = 50
NUMBER = re.compile(r"(?:([0-9]{8})-)?([0-9]{1,18})")
WHOLE = re.compile(r"([0-9]{8})([0-9]{6,18})")  # typed without the dash
DASHES = re.compile(r"[\u002d\u00ad\u2010-\u2015\u2212\u30fc_~]+")


def own(user):
    return Save.objects.visible_to(user).filter(by=user.pk)


def page(user, visit=None, before=None) -> tuple[list, bool]:
    """The next saves, newest first, and whether there are more. ``before`` is the last one shown. One query."""
    rows = own(user).with_names().select_related("note__encounter__resident")
    rows = rows.only(
        "key", "version", "characters", "sha256", "saved_at", "thinned_at", "by", "correction",
        "note__encounter__uuid", "note__encounter__arrived_at", "note__encounter__resident__name",
    )  # fmt: skip
    if visit is not None:
        rows = rows.filter(note__encounter=visit)
    if before is not None:
        rows = rows.filter(pk__lt=before.pk)
    found = inquiry.labelled(rows.order_by("-pk")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def parse(typed: str) -> tuple[date | None, int] | None:
    """The day and the row number of a receipt as people type it: full-width, with spaces, with any dash, the
    number alone; None where it is no receipt."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", typed or ""))[:40]
    plain = re.sub(r"^(no\.?|#|号)", "", DASHES.sub("-", plain), flags=re.IGNORECASE).strip("-")
    found = WHOLE.fullmatch(plain) or NUMBER.fullmatch(plain)
    if found is None or int(found[2]) >= 2**63:
        return None
    if found[1] is None:
        return None, int(found[2])
    try:
        return date(int(found[1][:4]), int(found[1][4:6]), int(found[1][6:])), int(found[2])
    except ValueError:
        return None


def find(rows, typed):
    """The save of ``rows`` that bears this receipt number, or None."""
    asked = parse(typed)
    if asked is None:
        return None
    day, number = asked
    save = rows.filter(pk=number).first()
    right = save is not None and day in (None, timezone.localdate(save.saved_at))
    return save if right else None


def visits(user, day=None, name="") -> list:
    """Own visits of a day or of a resident by name, whole pinyin or initials; at most 50, newest first."""
    rows = Encounter.objects.visible_to(user).filter(Q(doctor=user.pk) | Q(note__author=user.pk))
    letters = re.sub(r"[\s'’·-]", "", unicodedata.normalize("NFKC", name)).lower()[:60]
    if day is not None:
        rows = rows.on_day(day)
    if letters and letters.isascii():
        rows = rows.filter(
            Q(resident__initials__startswith=letters) | Q(resident__pinyin__startswith=letters)
        )
    elif letters:
        rows = rows.filter(resident__name__startswith=unicodedata.normalize("NFKC", name).strip()[:60])
    rows = rows.select_related("resident", "institution").order_by("-arrived_at", "-pk")
    return list(rows[:VISITS]) if day is not None or letters else []


FAULTS = 5


def failed_of(user, since) -> list[dict]:
    """What went wrong with this person's own saves lately (clinic.registry.failed_saves): no text, and nobody's name. One
    query."""
    rows = SaveFault.objects.filter(by=user.pk, at__gte=since).order_by("-at")[:FAULTS]
    return [
        {
            "at": row.at.isoformat(timespec="seconds"), "status": row.status, "code": row.code, "request": row.request_id,
            "fields": row.fields,
        }
        for row in rows
    ]  # fmt: skip
