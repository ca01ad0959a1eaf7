"""What people do with campaigns: make, release, approve, send back, pause, resume, cancel, try on themselves."""

import hashlib
import json
import uuid
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.text import is_storable
from messaging import audiences, consent, practice, quota, routing, texts
from messaging.codes import CampaignKind, CampaignState, MessageState, Policy, Reason
from messaging.gateways import text
from messaging.models import Campaign, Message

LATER = (CampaignState.FINISHED, CampaignState.CANCELLED)
WAITING = (MessageState.QUEUED, MessageState.CLAIMED)
# Messages cancelled in one transaction; batches while the person waits (a second); batches of one job.
BATCH, AT_ONCE, MOST = 10_000, 2, 200
# Nobody plans further; the calendar's first and last days are read back by no database.
AHEAD = timedelta(days=400)


def make(
    *, key, institution, name, purpose, body, audience, by, template=None, urgent=False, policy=Policy.AT_MOST_ONCE,
    send_at=None, valid_until=None, quiet_override="", request=None, now=None,
):  # fmt: skip
    """Make a campaign whose audience a job counts (messaging.building); return it. The same key again returns the
    first. Refused codes: text, audience, quiet, time; Conflict codes: twice (with ``campaign``, the first one's uuid), key."""
    now = now or timezone.now()
    _may(by, "messaging.add_campaign", institution)
    source = audiences.source_of(audience)
    texts.check(body, purpose, given=source.variables)
    audiences.resolve(audience, institution)
    _check_words(name, quiet_override, by)
    for field, moment in (("send_at", send_at), ("valid_until", valid_until)):
        check_moment(moment, field, now)
    if valid_until and valid_until <= max(send_at or now, now):
        raise Refused(_("It would be of no use before it begins."), code="time", field="valid_until")
    row = Campaign(
        uuid=key, institution=institution, name=name, purpose=purpose, body=body, template=template, audience=audience,
        signature=practice.of(institution).signature, urgent=urgent, policy=policy, send_at=send_at,
        valid_until=valid_until, quiet_override=quiet_override, state=CampaignState.BUILDING, made_by=by, made_at=now,
        fingerprint=_fingerprint(institution, body, audience),
    )  # fmt: skip
    if found := _made_before(row, by):
        return found
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.record(Act.CREATE, by=by, request=request, obj=row, detail={"purpose": purpose})
    except IntegrityError as error:  # the same page twice, or somebody else, at the same moment
        if found := _made_before(row, by):
            return found
        raise _twice(row, by) from error
    return row


def check_moment(moment, field, now):
    """Raise Refused, code "time", for what lies years away."""
    if moment and abs(moment - now) > AHEAD:
        raise Refused(_("Please give a time within the next year."), code="time", field=field)


def _made_before(row, by):
    """What the same key has made. A page that was changed and sent once more is another campaign."""
    found = Campaign.objects.filter(uuid=row.uuid).first()
    if found is None:
        return None
    if (
        found.fingerprint != row.fingerprint
        or not Campaign.objects.visible_to(by).filter(pk=found.pk).exists()
    ):
        raise Conflict(_("This page has made a campaign already. Please open a new one."), code="key")
    return found


def _twice(row, by):
    """Leads to the first one, where this person may see it."""
    rows = Campaign.objects.visible_to(by).filter(fingerprint=row.fingerprint).exclude(state__in=LATER)
    found = rows.values_list("uuid", flat=True).first()
    return Conflict(
        _("Somebody has just made this campaign."), code="twice", campaign=str(found) if found else ""
    )


def _check_words(name, quiet_override, by):
    for field, words, most in (("name", name, 60), ("quiet_override", quiet_override, 200)):
        if len(words) > most or not is_storable(words):
            raise Refused(_("This text is too long or cannot be stored."), code="text", field=field)
    if quiet_override and not by.has_perm("messaging.override_quiet"):
        raise Forbidden(_("Your role may not send in the quiet hours."), code="quiet")


def _fingerprint(institution, body, audience):
    said = {name: sorted(value) if isinstance(value, list) else value for name, value in audience.items()}
    whole = json.dumps([institution.pk, body, said], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def release(*, campaign, by, request=None, now=None):
    """Send it; ask a second person above N recipients, or where the allowance wants the district's word. Return the
    row, RUNNING or WAITING. Refused code: quota (nothing is sent beyond this allowance)."""
    now = now or timezone.now()
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", CampaignState.READY)
        if not row.recipients:
            raise Refused(
                _("Nobody gets this message: all residents of the audience are left out."), code="empty"
            )
        row.released_by, row.released_at, row.fault = by, now, ""
        many = row.recipients > practice.of(row.institution).approval_above
        row.state = CampaignState.WAITING if many or not _reserved(row, by, now) else CampaignState.RUNNING
        return _told(row, by, request, "released")


def _reserved(row, by, now):
    """Whether the allowance gave what is needed; False where somebody has to agree to go beyond it."""
    try:
        quota.reserve(row, segments=row.segments, by=by, now=now)
    except Refused as refusal:
        if refusal.code == "quota-approval":
            return False
        raise
    return True


def approve(*, campaign, by, request=None, now=None):
    """The second person's word; return the row, RUNNING. Refused codes: quota, quota-approval (not this person's to
    give); Forbidden code: self."""
    now = now or timezone.now()
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.approve_campaign", CampaignState.WAITING)
        if row.made_by_id == by.pk:
            raise Forbidden(_("A second person approves."), code="self")
        beyond = by.has_perm("messaging.exceed_quota")
        quota.reserve(row, segments=row.segments, by=by, now=now, exceed=beyond)
        row.state, row.approved_by, row.approved_at = CampaignState.RUNNING, by, now
        return _told(row, by, request, "approved")


def reject(*, campaign, by, reason, request=None, now=None):
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.approve_campaign", CampaignState.WAITING)
        row.state, row.fault = CampaignState.READY, reason[:200]
        return _told(row, by, request, "rejected", reason)


def pause(*, campaign, by, request=None, now=None):
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", CampaignState.RUNNING)
        row.state = CampaignState.PAUSED
        return _told(row, by, request, "paused")


def resume(*, campaign, by, request=None, now=None):
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", CampaignState.PAUSED)
        row.state = CampaignState.RUNNING
        return _told(row, by, request, "resumed")


def cancel(*, campaign, by, reason="", request=None, now=None):
    """Nothing more is sent; what is on the wire stays. Return the row. Of very many messages a job cancels the rest:
    none is begun of a campaign that is cancelled (messaging.dispatching.beginning)."""
    now = now or timezone.now()
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", None)
        row.state, row.ended_at = CampaignState.CANCELLED, now
        row = _told(row, by, request, "cancelled", reason)
        # The allowance before the messages: that is the order of locks.
        quota.settle(row, now)
    clear(row, now, batches=AT_ONCE)
    return row


def clear(campaign, now, batches):
    """Cancel what a cancelled campaign still has waiting, in so many batches at most; return how many messages. Each is
    a transaction; what somebody else holds at the moment is left to the dispatcher or the next call."""
    return sum(_cleared(campaign, state, now) for state in WAITING for _batch in range(batches))


@transaction.atomic
def _cleared(campaign, state, now):
    rows = campaign.messages.order_by().filter(state=state, on_wire=False)
    ids = list(rows.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:BATCH])
    if not ids:
        return 0
    cancelled = {
        "state": MessageState.CANCELLED,
        "reason": Reason.CAMPAIGN,
        "state_at": now,
        "claimed_by": "",
    }
    return Message.objects.filter(pk__in=ids).update(**cancelled)


def clear_left_behind(now) -> int:
    """Of all campaigns that were cancelled; return how many messages."""
    waiting = Message.objects.filter(campaign=OuterRef("pk"), state__in=WAITING, on_wire=False)
    rows = Campaign.objects.filter(state=CampaignState.CANCELLED, ended_at__gt=now - timedelta(days=7))
    return sum(clear(row, now, batches=MOST) for row in rows.filter(Exists(waiting)))


def try_on_self(*, key, institution, body, purpose, phone, by, request=None, now=None):
    """Send the text to one's own phone; return the test's campaign."""
    now = now or timezone.now()
    _may(by, "messaging.add_campaign", institution)
    texts.check(body, purpose)
    number = routing.normalise(phone)
    if number is None:
        raise Refused(_("Please give a mobile number."), code="phone", field="phone")
    if consent.refused_phones([number]):
        raise Refused(_("This number wants no messages."), code="opted_out", field="phone")
    signature = practice.of(institution).signature
    whole = texts.render(body, signature, texts.example(institution))
    segments = text.count(whole)
    with transaction.atomic():
        row, made = Campaign.objects.get_or_create(
            uuid=key,
            defaults={
                "institution": institution, "kind": CampaignKind.TEST, "name": _("Test send"), "purpose": purpose,
                "body": body, "signature": signature, "state": CampaignState.RUNNING, "made_by": by, "made_at": now,
                "built_at": now, "recipients": 1, "segments": segments, "released_by": by, "released_at": now,
            },
        )  # fmt: skip
        if made:
            quota.reserve(row, segments=segments, by=by, now=now)
            row.save(update_fields=["year"])
            audit.record(Act.SEND, by=by, request=request, obj=row, detail={"what": "test"})
            Message.objects.create(
                uuid=uuid.uuid5(row.uuid, number), campaign=row, institution=institution, phone=number,
                carrier=routing.carrier(number), text=whole, segments=segments, made_at=now, state_at=now, due_at=now,
            )  # fmt: skip
    return row


def _may(by, right, institution):
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("Your role does not allow this."))


def _lock(campaign, by, right, state):
    row = Campaign.objects.visible_to(by).select_for_update(of=("self",)).select_related("institution")
    row = row.filter(pk=campaign.pk).first()
    if row is None or not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    if row.kind != CampaignKind.BULK:  # stopped, it would swallow every message to come
        raise Forbidden(_("Single messages and test sends are not held or stopped as a whole."), code="kind")
    if (state and row.state != state) or row.state in LATER:
        raise Conflict(_("The campaign has moved on meanwhile. Please look again."), code="state")
    return row


def _told(row, by, request, what, reason=""):
    row.save()
    audit.record(Act.SEND, by=by, request=request, obj=row, reason=reason, detail={"what": what})
    return row
