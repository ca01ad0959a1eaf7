"""Writing how an institution sends (messaging.practice)."""

from datetime import time

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from messaging.models import SendingPractice

SHORTEST, LONGEST = 2, 32  # of a signature (rules B6.4)
FIELDS = ("signature", "quiet_from", "quiet_to", "approval_above", "retry_next_day")
HIGHEST = 10_000_000


def keep(*, institution, by, request=None, **wanted):
    """Write the choices of one institution; return its SendingPractice, made if there was none.

    ``wanted``: FIELDS; "" or None means as the institution above. Refused codes: signature, quiet, above, taken;
    Forbidden outside one's reach.
    """
    wanted = {name: wanted.get(name) for name in FIELDS}
    wanted["signature"] = (wanted["signature"] or "").strip()
    _check(wanted)
    if not by.has_perm("messaging.change_sendingpractice") or not institution.path.startswith(
        by.institution.path
    ):
        raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
    with transaction.atomic():
        row = SendingPractice.objects.select_for_update().filter(institution=institution).first()
        new = row is None
        row = row or SendingPractice(institution=institution)
        changed = [name for name, value in wanted.items() if new or getattr(row, name) != value]
        for name, value in wanted.items():
            setattr(row, name, value)
        if changed:
            _save(row, new)
            audit.record(
                Act.CREATE if new else Act.CHANGE, by=by, request=request, obj=row,
                detail={"fields": changed, "institution": institution.code},
            )  # fmt: skip
        return row


def _save(row, new):
    try:
        with transaction.atomic():
            row.save(force_insert=new)
    except IntegrityError as error:  # somebody made it between our look and our write
        raise Refused(
            _("Somebody has just set this up. Please load the page again."), code="taken"
        ) from error


def _check(wanted):
    signature = wanted["signature"]
    if signature and not SHORTEST <= len(signature) <= LONGEST:
        raise Refused(_("A signature has 2 to 32 characters."), code="signature", field="signature")
    if set(signature) & set("【】[]") or any(ord(sign) > 0xFFFF for sign in signature):
        raise Refused(
            _("Please write the signature without its brackets and without pictures."),
            code="signature",
            field="signature",
        )
    begin, end = wanted["quiet_from"], wanted["quiet_to"]
    if (begin is None) != (end is None):
        raise Refused(_("Quiet hours have a beginning and an end."), code="quiet", field="quiet_to")
    if begin is not None and not (isinstance(begin, time) and isinstance(end, time)):
        raise Refused(_("Quiet hours have a beginning and an end."), code="quiet", field="quiet_to")
    above = wanted["approval_above"]
    if above is not None and not 0 <= above <= HIGHEST:
        raise Refused(_("Please give a number from 0 up."), code="above", field="approval_above")
