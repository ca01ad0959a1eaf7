"""Whether the last good backup is young enough; else somebody of the district's information office hears of it, once a day."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.models import AuditEntry, Institution
from maintenance import contacts
from maintenance.codes import BackupState, Side
from maintenance.models import Backup
from messaging.actions import staff

GOOD = (BackupState.DONE, BackupState.CHECKED)
SPACE = uuid.UUID("0b0f8f53-6f7d-4f0e-9a44-6a1d8c2b7e10")


def last_good():
    return Backup.objects.filter(state__in=GOOD).order_by("-began_at").first()


def is_overdue(now) -> bool:
    """Nothing good within the hours of the setting; a house without any backup has as long from its first day."""
    limit = now - timedelta(hours=settings.BACKUP_HOURS)
    good = last_good()
    if good is not None:
        return good.began_at < limit
    first = AuditEntry.objects.order_by("pk").values_list("at", flat=True).first()
    return first is not None and first < limit


def alarm(now=None) -> int:
    """Tell the office of every district; returns to how many a message went."""
    now = now or timezone.now()
    newest = Backup.objects.order_by("-began_at").first()
    failed = newest is not None and newest.state in (BackupState.FAILED, BackupState.DAMAGED)
    if not failed and not is_overdue(now):
        return 0
    words = (
        _("The last backup failed. Please look at it today.") if failed
        else _("There has been no good backup for more than %(n)d hours.") % {"n": settings.BACKUP_HOURS}
    )  # fmt: skip
    return sum(_tell(office, words, now) for office in Institution.objects.filter(parent=None))


def _tell(office, words, now):
    told = 0
    for contact in contacts.nearest(office, {Side.DISTRICT_IT}).values():
        for call in contacts.calls(contact, deputy=True):
            key = uuid.uuid5(SPACE, f"{timezone.localdate(now)} {call.phone} {words}")
            try:
                staff.tell(
                    phone=call.phone,
                    whose=call.institution,
                    words=words,
                    key=key,
                    institution=office,
                    now=now,
                )
                told += 1
            except Refused:
                continue
    return told
