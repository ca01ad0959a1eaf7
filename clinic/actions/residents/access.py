"""Seeing what is masked or far away: both leave a line in the trail."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.actions.residents.locking import filled
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.models import AccessGrant

REVEALED = ("id_number", "phone", "contact_phone")


@transaction.atomic
def reveal(*, resident, field, by, request=None) -> str:
    """The number in clear. Who looked stands in the trail before it is told."""
    if field not in REVEALED:
        raise Refused(_("This is not a masked number."), code="field")
    if not by.has_perm("clinic.reveal_resident"):
        raise Forbidden(_("Your role does not allow this."))
    audit.record(Act.REVEAL, by=by, request=request, resident=resident, obj=resident, detail={"field": field})
    return getattr(resident, field)


@transaction.atomic
def open_with_reason(*, resident, reason, by, request=None, at=None):
    """Let a clinician look at a resident of another institution for a day. The home institution sees it.

    The grant covers the whole file, rows absorbed by a merge included.
    """
    if not by.has_perm("clinic.open_foreign_resident"):
        raise Forbidden(_("Your role does not allow this."))
    reason = filled(reason, "reason", 200)
    if len(reason) < 2:
        raise Refused(_("Please say the reason in a few words."), code="short", field="reason")
    at = at or timezone.now()
    rows = [resident, *resident.absorbed.all()]
    grants = [AccessGrant.objects.create(user=by, resident=row, reason=reason, granted_at=at) for row in rows]
    until = at + timedelta(hours=settings.ACCESS_GRANT_HOURS)
    audit.record(
        Act.GRANT, by=by, request=request, resident=resident, obj=resident, reason=reason,
        detail={"until": until.isoformat(timespec="minutes")},
    )  # fmt: skip
    return grants[0]
