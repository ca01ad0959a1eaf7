"""Making, writing and signing the weekly report. Locks: report."""

import hashlib
import json
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from maintenance.models import WeeklyReport
from maintenance.weekly import figures

SECTIONS = ("summary", "problems", "measures", "next")
LONGEST = 4000


def make(*, monday: date, by=None, now=None, request=None) -> WeeklyReport:
    """The week's report with its figures; unsigned, it gets them anew. ``by`` is None for the job. Refused code: monday."""
    if by is not None and not by.has_perm("maintenance.add_weeklyreport"):
        raise Forbidden(_("Your role does not allow this."))
    now = now or timezone.now()
    if monday.weekday() or monday > timezone.localdate(now):
        raise Refused(_("A week begins on Monday, and not in the future."), code="monday", field="monday")
    found = figures.of_week(monday)
    with transaction.atomic():
        row, made = WeeklyReport.objects.select_for_update().get_or_create(
            monday=monday, defaults={"figures": found, "made_at": now}
        )
        if row.signed_at is not None:
            return row
        if not made:
            row.figures, row.made_at = found, now
            row.save()
        if by is not None:
            audit.record(Act.CREATE if made else Act.CHANGE, by=by, request=request, obj=row)
        return row


def write(*, report, words: dict, seen: str, by, request=None) -> WeeklyReport:
    """``seen``: the fingerprint of the text that the writer began from. Refused code: words; Conflict codes: signed, seen."""
    if not by.has_perm("maintenance.change_weeklyreport"):
        raise Forbidden(_("Your role does not allow this."))
    kept = {name: words.get(name, "").strip() for name in SECTIONS}
    if long := [name for name, text in kept.items() if len(text) > LONGEST]:
        raise Refused(_("At most %(n)d characters.") % {"n": LONGEST}, code="words", field=long[0])
    with transaction.atomic():
        row = WeeklyReport.objects.select_for_update().get(pk=report.pk)
        if row.signed_at is not None:
            raise Conflict(_("The report is signed."), code="signed")
        if fingerprint(row) != seen:
            raise Conflict(
                _("Somebody else has written meanwhile: their text stands beside yours."), code="seen"
            )
        row.words = kept
        row.save()
        audit.record(Act.CHANGE, by=by, request=request, obj=row)
        return row


def sign(*, report, by, seen: str, now=None, request=None) -> WeeklyReport:
    """Frozen with a hash over figures and text. Refused codes: week (not over yet), summary (nothing written)."""
    if not by.has_perm("maintenance.sign_weeklyreport"):
        raise Forbidden(_("Your role does not allow this."))
    now = now or timezone.now()
    with transaction.atomic():
        row = WeeklyReport.objects.select_for_update().get(pk=report.pk)
        if row.signed_at is not None:
            return row
        if fingerprint(row) != seen:
            raise Conflict(_("The report has changed since you opened it."), code="seen")
        if figures.bounds(row.monday)[1] > now:
            raise Refused(_("This week is not over yet."), code="week")
        if not row.words.get("summary"):
            raise Refused(_("Write a summary before signing."), code="summary")
        row.signed_by, row.signed_at, row.sha256 = by, now, hash_of(row)
        row.save()
        audit.record(Act.SIGN, by=by, request=request, obj=row)
        return row


def fingerprint(row) -> str:
    """What changes with the text or the figures."""
    return hash_of(row)[:16]


def hash_of(row) -> str:
    """SHA-256 in hex over the canonical text: keys in order, no spaces, UTF-8."""
    whole = {"monday": row.monday.isoformat(), "figures": row.figures, "words": row.words}
    return hashlib.sha256(
        json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()
