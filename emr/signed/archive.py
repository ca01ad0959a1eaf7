"""The archive 归档: some hours after its signature a note is changed by leave alone (电子病历应用管理规范 art. 17).

Nothing is moved and no job runs: being archived is a question of time.
"""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone


def due(note):
    """When the signed note goes, or went, to the archive. A later correction does not put it off."""
    return note.signed_at + timedelta(hours=settings.ARCHIVE_HOURS)


def since(note, now=None):
    """When it went to the archive, or None while its writer may still correct it without leave."""
    at = due(note)
    return at if at <= (now or timezone.now()) else None


def leave_lasts():
    """How long an approved request may be used."""
    return timedelta(hours=settings.CHANGE_REQUEST_HOURS)


def leave_ends(change_request):
    return change_request.decided_at + leave_lasts()


def begins_before(now=None):
    """Notes signed up to then are archived."""
    return (now or timezone.now()) - timedelta(hours=settings.ARCHIVE_HOURS)
