"""Filling the allowance: allotments, top-ups, corrections, and shares to the institutions below."""

import uuid

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from messaging import quota as ledger
from messaging.codes import AtLimit, QuotaKind
from messaging.models import Quota, QuotaEntry

MOST = 100_000_000
GRANTED = (QuotaKind.ALLOTMENT, QuotaKind.TOP_UP, QuotaKind.CORRECTION)


@transaction.atomic
def open_year(*, institution, year, by, at_limit=AtLimit.APPROVE, request=None) -> Quota:
    """The allowance of an institution and year; the one that is there already, if so."""
    may(by, "messaging.add_quota", institution)
    if not 2000 <= year <= 2100:
        raise Refused(_("The year has four digits."), code="year", field="year")
    quota, made = Quota.objects.get_or_create(
        institution=institution, year=year, defaults={"at_limit": at_limit}
    )
    if made:
        audit.record(Act.QUOTA, by=by, request=request, obj=quota, detail={"event": "open", "year": year})
    return quota


@transaction.atomic
def set_limit(*, quota, at_limit, by, request=None) -> Quota:
    """What happens when it is used up."""
    may(by, "messaging.change_quota", quota.institution)
    quota = Quota.objects.select_for_update().get(pk=quota.pk)
    quota.at_limit = AtLimit(at_limit)
    quota.save(update_fields=["at_limit"])
    audit.record(Act.QUOTA, by=by, request=request, obj=quota, detail={"event": "limit", "limit": at_limit})
    return quota


@transaction.atomic
def grant(*, quota, kind, segments, document, key, by, money=None, request=None) -> QuotaEntry:
    """Add segments: who, by which document, for how much money. A correction may take some away, never more than
    are free. The same ``key`` again is the same entry."""
    may(by, "messaging.fill_quota", quota.institution)
    if kind not in GRANTED:
        raise Refused(_("An allotment, a top-up or a correction."), code="kind", field="kind")
    whole(segments, least=-MOST if kind == QuotaKind.CORRECTION else 1)
    if not document.strip():
        raise Refused(_("Name the document or the reason."), code="document", field="document")
    quota = locked(quota)[0]
    if found := repeated(key, quota=quota.pk, kind=kind, free=segments):
        return found
    enough(quota, -segments)
    entry = _entry(quota, kind, segments, by, key=key, document=document.strip(), money=money)
    _told(entry, by, request)
    return entry


@transaction.atomic
def share(*, giver, taker, segments, key, by, document="", request=None) -> QuotaEntry:
    """Hand segments down from one allowance to that of an institution below it, or take back what is free there
    (``segments`` below zero). Two entries in one transaction; returns the giver's."""
    may(by, "messaging.share_quota", giver.institution)
    above, below = giver.institution.path, taker.institution.path
    if giver.year != taker.year or not below.startswith(above) or below == above:
        raise Refused(_("Shares go to an institution below, within one year."), code="taker", field="taker")
    whole(segments, least=-MOST)
    giver, taker = locked(giver, taker)
    if found := repeated(key, quota=giver.pk, kind=QuotaKind.SHARE, free=-segments, counterpart=taker.pk):
        return found
    enough(giver if segments > 0 else taker, abs(segments))
    entry = move(giver, taker, QuotaKind.SHARE, segments, by=by, key=key, document=document.strip())
    _told(entry, by, request)
    return entry


def move(giver, taker, kind, segments, *, by, key, document=""):
    """The pair of entries; both rows are locked by the caller. Returns the giver's."""
    entry = _entry(giver, kind, -segments, by, key=key, document=document, counterpart=taker)
    _entry(taker, kind, segments, by, key=uuid.uuid5(key, "taker"), document=document, counterpart=giver)
    return entry


def may(by, right, institution):
    """Raise Forbidden unless this person has the right, and the institution is theirs or below."""
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This is for somebody else to do."))


def whole(segments, least=1):
    if not isinstance(segments, int) or not least <= segments <= MOST or segments == 0:
        raise Refused(
            _("A whole number of segments, at most %(most)d.") % {"most": MOST},
            code="segments",
            field="segments",
        )


def locked(*quotas):
    """The rows, locked in the order of their numbers, given back in the order asked for."""
    rows = Quota.objects.select_for_update(of=["self"]).filter(pk__in=[quota.pk for quota in quotas])
    found = {row.pk: row for row in rows.select_related("institution").order_by("pk")}
    return [found[quota.pk] for quota in quotas]


def enough(quota, segments):
    """Raise Refused when fewer are free than are taken away."""
    free = ledger.balance(quota).free
    if segments > max(free, 0):
        raise Refused(
            _("%(whose)s has %(free)d segments free, not %(asked)d.")
            % {"whose": quota.institution, "free": max(free, 0), "asked": segments},
            code="quota",
            field="segments",
        )


def repeated(key, **said):
    """The entry that this key made before; Refused when it said something else then."""
    entry = QuotaEntry.objects.filter(key=key).values(*said).first()
    if entry is None:
        return None
    if entry != said:
        raise Refused(_("This was sent before with other figures. Load the page again."), code="key")
    return QuotaEntry.objects.get(key=key)


def _entry(quota, kind, segments, by, **more):
    return QuotaEntry.objects.create(quota=quota, kind=kind, free=segments, by=by, at=timezone.now(), **more)


def _told(entry, by, request):
    detail = {"event": entry.kind, "segments": entry.free, "year": entry.quota.year}
    if entry.counterpart_id:
        detail["other"] = str(entry.counterpart.uuid)
    audit.record(Act.QUOTA, by=by, request=request, obj=entry.quota, detail=detail)
