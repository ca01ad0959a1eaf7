"""Single messages that other apps queue: keyed, so that a retry never sends twice."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.text import is_storable
from messaging import consent, practice, quota, routing, texts
from messaging.codes import CampaignKind, CampaignState, Left, MessageState, Purpose, Reason
from messaging.gateways import text
from messaging.models import Campaign, Message


def queue(
    *, resident, purpose, template, key, institution, values=None, urgent=False, reason="", by=None, request=None,
    now=None,
):  # fmt: skip
    """Queue one message in the institution's name and return it; the same key returns the first one.

    ``values``: {name: value} beside those of messaging.texts; ``by`` None is the system itself. Refused codes: those of
    ``Left`` (no phone, opted out…), text (also of a template not in use), quota, quota-approval; Conflict code: key
    (it was another resident's or institution's).

    Quiet hours are kept by the dispatcher. ``urgent`` goes before all others and in the quiet hours too: only with a
    ``reason``, which stands in the trail (Refused code reason), and with the right to it (Forbidden code quiet).
    """
    now = now or timezone.now()
    _check(institution, urgent, reason, by)
    person = resident.survivor
    if found := _of_key(key, person, institution):
        return found
    phone = _reachable(person, purpose)
    whole = _rendered(template, institution, person, values or {}, purpose)
    try:
        with transaction.atomic():
            batch = standing(institution, urgent, now)
            if found := _of_key(key, person, institution):
                return found
            made = queued(batch, key, person, person.home, phone, whole, by, now)
            detail = {"purpose": str(purpose), **({"urgent": True} if urgent else {})}
            audit.record(
                Act.SEND, by=by, request=request, resident=person, obj=made, detail=detail, reason=reason if urgent else ""
            )  # fmt: skip
            return made
    except IntegrityError:  # the same key by another institution's hand at the same moment
        if found := _of_key(key, person, institution):
            return found
        raise


def _check(institution, urgent, reason, by):
    if by is not None and not (
        by.has_perm("messaging.queue_message") and institution.path.startswith(by.institution.path)
    ):
        raise Forbidden(_("Your role does not allow this."))
    if urgent and by is not None and not by.has_perm("messaging.override_quiet"):
        raise Forbidden(_("Your role may not send in the quiet hours."), code="quiet")
    check_urgent(urgent, reason)


def check_urgent(urgent, reason):
    if not urgent:
        return
    if not reason.strip() or len(reason) > 200 or not is_storable(reason):
        raise Refused(_("An urgent message needs a short reason."), code="reason", field="reason")


def queued(batch, key, person, institution, phone, whole, by, now):
    """The message of the locked campaign of singles; ``person`` is None where it goes to the staff."""
    segments = text.count(whole)
    quota.reserve(batch, segments=segments, by=by, now=now)
    return Message.objects.create(
        uuid=key, campaign=batch, resident=person, institution=institution, phone=phone, text=whole,
        carrier=routing.carrier(phone, routing.overrides([phone], now)), segments=segments, made_at=now,
        state_at=now, due_at=now,
    )  # fmt: skip


def cancel(*, message, by=None, reason=Reason.CAMPAIGN, request=None, now=None):
    """Take it back while it is not on the wire; return it, also the second time. ``by`` None is the system itself.
    Conflict code: state; Forbidden outside one's reach."""
    if by is not None and not (
        by.has_perm("messaging.queue_message")
        and Message.objects.visible_to(by).filter(pk=message.pk).exists()
    ):
        raise Forbidden(_("Your role does not allow this."))
    with transaction.atomic():
        row = Message.objects.select_for_update().get(pk=message.pk)
        if row.state == MessageState.CANCELLED:
            return row
        if row.state not in (MessageState.QUEUED, MessageState.CLAIMED) or row.on_wire:
            raise Conflict(_("It is on its way already."), code="state")
        row.state, row.reason, row.state_at, row.claimed_by = (
            MessageState.CANCELLED,
            reason,
            now or timezone.now(),
            "",
        )
        row.save(update_fields=["state", "reason", "state_at", "claimed_by"])
        audit.record(Act.CANCEL, by=by, request=request, resident=row.resident, obj=row)
        return row


def _of_key(key, person, institution):
    """What the key has made. The resident's file may have been merged into another one since."""
    found = Message.objects.filter(uuid=key).select_related("campaign", "resident").first()
    if found is None:
        return None
    whose = found.resident and found.resident.survivor
    if whose != person or found.campaign.institution_id != institution.pk:
        raise Conflict(_("This key belongs to another message."), code="key")
    return found


def _reachable(person, purpose):
    if person.life_state != LifeState.LIVING:
        raise left_out(Left.DECEASED if person.life_state == LifeState.DECEASED else Left.MOVED)
    phone = phone_of(person.phone)
    if consent.refused_phones([phone]):
        raise left_out(Left.OPTED_OUT)
    if not consent.willing([person.pk], purpose):
        raise left_out(Left.NO_CONSENT)
    return phone


def phone_of(typed):
    """The mobile number, normalised. Refused codes: those of ``Left``."""
    if phone := routing.normalise(typed):
        return phone
    raise left_out(
        {"empty": Left.NO_PHONE, "landline": Left.LANDLINE}.get(routing.kind(typed), Left.BAD_PHONE)
    )


def left_out(why):
    return Refused(_("No message is sent: %(why)s.") % {"why": why.label}, code=why.value)


def _rendered(template, institution, person, values, purpose):
    if not template.active:
        raise Refused(_("This template is not in use."), code="text", field="template")
    texts.check(template.body, purpose, given=values)
    known = {**texts.values_of(person, institution), **values}
    try:
        return texts.render(template.body, practice.of(institution).signature, known)
    except KeyError as error:
        raise left_out(Left.NO_VALUE) from error


def standing(institution, urgent, now):
    """The institution's campaign of single messages of this year, locked."""
    row, _made = Campaign.objects.get_or_create(
        institution=institution, urgent=urgent, year=quota.year_of(now), kind=CampaignKind.SINGLES,
        defaults={
            "name": _("Urgent single messages") if urgent else _("Single messages"), "purpose": Purpose.SERVICE,
            "state": CampaignState.RUNNING, "made_at": now, "built_at": now,
        },
    )  # fmt: skip
    row = Campaign.objects.select_for_update().get(pk=row.pk)
    if urgent and not row.quiet_override:
        row.quiet_override = _("Each message has a reason of its own, in the trail.")
        row.save(update_fields=["quiet_override"])
    return row
