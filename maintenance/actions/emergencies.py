"""Recording a drill, and numbering blank notes. Locks: institution (by its pads)."""

import base64
import os
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.models import Institution
from maintenance.emergencies import kits
from maintenance.models import Drill, KitKey, PaperPad

MOST_SHEETS, LONGEST = 200, 2000
SHORTEST, LONGEST_PASSPHRASE = 10, 80


def drill(*, key, plan, institution, by, on: date, score: int, findings="", now=None, request=None) -> Drill:
    """A plan was rehearsed somewhere; the next drill is due by the plan's months. Refused codes: on, score, findings."""
    if not by.has_perm("maintenance.add_drill"):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path) or not institution.path.startswith(
        plan.institution.path
    ):
        raise Forbidden(_("This institution is not yours."), code="elsewhere")
    if on > timezone.localdate(now):
        raise Refused(_("The drill lies in the future."), code="on", field="on")
    if not 0 <= score <= 100:
        raise Refused(_("The score is from 0 to 100."), code="score", field="score")
    findings = findings.strip()
    if len(findings) > LONGEST:
        raise Refused(_("At most %(n)d characters.") % {"n": LONGEST}, code="findings", field="findings")
    with transaction.atomic():
        made, fresh = Drill.objects.get_or_create(
            uuid=key,
            defaults={
                "plan": plan, "institution": institution, "on": on, "score": score, "findings": findings, "made_by": by,
                "next_due": months_later(on, plan.every),
            },
        )  # fmt: skip
        if fresh:
            audit.record(Act.CREATE, by=by, request=request, obj=made)
        return made


def print_pad(*, institution, by, sheets: int, now=None, request=None) -> PaperPad:
    """So many blank notes with numbers that nobody got before. Refused code: sheets."""
    if not by.has_perm("maintenance.add_paperpad"):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not yours."), code="elsewhere")
    if not 1 <= sheets <= MOST_SHEETS:
        raise Refused(_("From 1 to %(n)d sheets.") % {"n": MOST_SHEETS}, code="sheets", field="sheets")
    with transaction.atomic():
        # Two who print at once follow each other: their numbers do not meet.
        held = Institution.objects.select_for_update().get(pk=institution.pk)
        last = PaperPad.objects.filter(institution=held).order_by("-first").first()
        first = last.first + last.sheets if last else 1
        made = PaperPad.objects.create(
            institution=held, first=first, sheets=sheets, printed_at=now or timezone.now(), printed_by=by
        )
        audit.record(Act.PRINT, by=by, request=request, obj=made, detail={"first": first, "sheets": sheets})
        return made


def set_passphrase(*, institution, by, passphrase: str, now=None, request=None) -> KitKey:
    """The station's own, from tomorrow's file on. Refused code: passphrase (too short, or digits alone)."""
    if not by.has_perm("maintenance.set_kitkey"):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not yours."), code="elsewhere")
    if (
        not SHORTEST <= len(passphrase) <= LONGEST_PASSPHRASE
        or len(set(passphrase)) < 6
        or passphrase.isdecimal()
    ):
        raise Refused(
            _("From %(n)d characters, not digits alone, at least six different ones.") % {"n": SHORTEST}, code="passphrase",
            field="passphrase",
        )  # fmt: skip
    salt = os.urandom(kits.SALT)
    sealed = kits.seal(kits.derive(passphrase, salt))
    given = {
        "salt": base64.b64encode(salt).decode(),
        "sealed": sealed,
        "set_by": by,
        "set_at": now or timezone.now(),
    }
    with transaction.atomic():
        row, _fresh = KitKey.objects.update_or_create(institution=institution, defaults=given)
        audit.record(Act.CHANGE, by=by, request=request, obj=row)
        return row


def months_later(day: date, months: int) -> date:
    """The same day so many months on, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + max(months, 1), 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)
