"""Visits to a resident's home 上门服务."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from contracts.models import HomeVisit

LONGEST = 300


def write(*, key, resident, on, did, by, found="", request=None, now=None):
    """Write one down; return it. The same ``key`` returns the first one. Refused codes: did, day; Conflict code: key."""
    now, did, found = now or timezone.now(), did.strip(), found.strip()
    if not by.has_perm("contracts.add_homevisit"):
        raise Forbidden(_("Your role does not allow this."))
    if not Resident.objects.visible_to(by).filter(pk=resident.pk).exists():
        raise Forbidden(_("This resident is another institution's."), code="elsewhere")
    if not did or len(did) > LONGEST or len(found) > LONGEST:
        raise Refused(_("Please say what was done, in at most 300 characters."), code="did", field="did")
    if on > timezone.localdate(now) or (timezone.localdate(now) - on).days > 365:
        raise Refused(_("The day lies in the last year and not after today."), code="day", field="on")
    with transaction.atomic():
        person = (
            Resident.objects.select_for_update(of=("self",))
            .select_related("home")
            .get(pk=resident.survivor.pk)
        )
        if known := HomeVisit.objects.filter(uuid=key).first():
            if known.resident_id != person.pk:
                raise Conflict(_("This key belongs to another visit."), code="key")
            return known
        row = HomeVisit.objects.create(
            uuid=key,
            resident=person,
            institution=by.institution,
            on=on,
            by=by,
            did=did,
            found=found,
            made_at=now,
        )
        audit.record(Act.SERVE, by=by, request=request, resident=person, obj=row)
        return row
