"""What people do with campaigns: make, release, approve, send back, pause, resume, cancel, try on themselves."""

import hashlib
import json
import uuid

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from messaging import audiences, practice, quota, routing, texts
from messaging.codes import CampaignKind, CampaignState, MessageState, Policy, Reason
from messaging.gateways import text
from messaging.models import Campaign, Message

LATER = (CampaignState.FINISHED, CampaignState.CANCELLED)


def make(
    *, key, institution, name, purpose, body, audience, by, template=None, urgent=False, policy=Policy.AT_MOST_ONCE,
    send_at=None, valid_until=None, quiet_override="", request=None, now=None,
):  # fmt: skip
    """Make a campaign whose audience a job counts (messaging.building); return it. The same key again returns the
    first. Refused codes: text, audience, quiet, time; Conflict code: twice."""
    now = now or timezone.now()
    _may(by, "messaging.add_campaign", institution)
    if found := Campaign.objects.visible_to(by).filter(uuid=key).first():
        return found
    texts.check(body, purpose)
    audiences.resolve(audience, institution)
    if quiet_override and not by.has_perm("messaging.override_quiet"):
        raise Forbidden(_("Your role may not send in the quiet hours."), code="quiet")
    if valid_until and valid_until <= max(send_at or now, now):
        raise Refused(_("It would be of no use before it begins."), code="time", field="valid_until")
    row = Campaign(
        uuid=key, institution=institution, name=name, purpose=purpose, body=body, template=template, audience=audience,
        signature=practice.of(institution).signature, urgent=urgent, policy=policy, send_at=send_at,
        valid_until=valid_until, quiet_override=quiet_override, state=CampaignState.BUILDING, made_by=by, made_at=now,
        fingerprint=_fingerprint(institution, body, audience),
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.record(Act.CREATE, by=by, request=request, obj=row, detail={"purpose": purpose})
    except IntegrityError as error:
        found = Campaign.objects.filter(uuid=key).first()
        if found:
            return found
        raise Conflict(_("Somebody has just made this campaign."), code="twice") from error
    return row


def _fingerprint(institution, body, audience):
    said = json.dumps([institution.pk, body, audience], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def release(*, campaign, by, request=None, now=None):
    """Send it; ask a second person above N recipients, or where the allowance wants the district's word. Return the
    row, RUNNING or WAITING. Refused code: quota (nothing is sent beyond this allowance)."""
    now = now or timezone.now()
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", CampaignState.READY)
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
        row.state, row.fault = CampaignState.READY, reason
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
    """Nothing more is sent; what is on the wire stays. Return the row."""
    now = now or timezone.now()
    with transaction.atomic():
        row = _lock(campaign, by, "messaging.send_campaign", None)
        row.state, row.ended_at = CampaignState.CANCELLED, now
        row = _told(row, by, request, "cancelled", reason)
        # The allowance before the messages: that is the order of locks.
        quota.settle(row, now)
        waiting = row.messages.filter(state__in=[MessageState.QUEUED, MessageState.CLAIMED], on_wire=False)
        waiting.update(state=MessageState.CANCELLED, reason=Reason.CAMPAIGN, state_at=now, claimed_by="")
    return row


def try_on_self(*, key, institution, body, purpose, phone, by, request=None, now=None):
    """Send the text to one's own phone; return the test's campaign."""
    now = now or timezone.now()
    _may(by, "messaging.add_campaign", institution)
    texts.check(body, purpose)
    number = routing.normalise(phone)
    if number is None:
        raise Refused(_("Please give a mobile number."), code="phone", field="phone")
    signature = practice.of(institution).signature
    whole = texts.render(body, signature, {**texts.EXAMPLE, "institution": institution.short_name})
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
    if (state and row.state != state) or row.state in LATER:
        raise Conflict(_("The campaign has moved on meanwhile. Please look again."), code="state")
    return row


def _told(row, by, request, what, reason=""):
    row.save()
    audit.record(Act.SEND, by=by, request=request, obj=row, reason=reason, detail={"what": what})
    return row
