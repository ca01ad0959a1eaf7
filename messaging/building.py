"""From an audience to queued messages, step by step: each step is one transaction, and a job that was cut off goes on
where the last one ended."""

import uuid

from django.db import transaction
from django.utils import timezone

from clinic.codes import LifeState
from messaging import audiences, consent, routing, texts
from messaging.codes import CampaignState, Left
from messaging.gateways import text
from messaging.models import Campaign, Exclusion, Message

STEP = 2000
UNREADABLE = {"empty": Left.NO_PHONE, "landline": Left.LANDLINE}


def build(campaign, now=None):
    """Make the messages of a campaign that is BUILDING; return it, READY. Memory does not grow with the audience."""
    now = now or timezone.now()
    row = _step(campaign.pk, now)
    while row.state == CampaignState.BUILDING:
        row = _step(campaign.pk, now)
    return row


@transaction.atomic
def _step(key, now):
    row = Campaign.objects.select_for_update(of=("self",)).select_related("institution").get(pk=key)
    if row.state != CampaignState.BUILDING:
        return row
    people = list(
        audiences.resolve(row.audience, row.institution)
        .filter(pk__gt=row.built_to)
        .select_related("home")
        .order_by("pk")[:STEP]
    )
    if not people:
        row.state, row.built_at = CampaignState.READY, now
        row.save(update_fields=["state", "built_at"])
        return row
    made, left = _sorted(row, people, now)
    Exclusion.objects.bulk_create(left)
    Message.objects.bulk_create(made)
    row.built_to = people[-1].pk
    row.recipients += len(made)
    row.left_out += len(left)
    row.segments += sum(message.segments for message in made)
    row.skip_history_when_saving = True  # half a count is nobody's version
    row.save(update_fields=["built_to", "recipients", "left_out", "segments"])
    del row.skip_history_when_saving
    return row


def _sorted(row, people, now):
    """(messages, exclusions) of these residents."""
    phones = {person.pk: routing.normalise(person.phone) for person in people}
    known = [phone for phone in phones.values() if phone]
    refused = consent.refused_phones(known)
    willing = consent.willing([person.pk for person in people], row.purpose)
    learnt = routing.overrides(known, now)
    keys = {phone: uuid.uuid5(row.uuid, phone) for phone in known}
    taken = set(Message.objects.filter(uuid__in=keys.values()).values_list("uuid", flat=True))
    made, left = [], []
    for person in people:
        phone = phones[person.pk]
        why = _why(person, phone, refused, willing) or (Left.SAME_PHONE if keys[phone] in taken else None)
        whole = "" if why else _rendered(row, person)
        why = why or (None if whole else Left.NO_VALUE)
        if why:
            left.append(Exclusion(campaign=row, resident=person, why=why))
            continue
        taken.add(keys[phone])
        made.append(
            Message(
                uuid=keys[phone], campaign=row, resident=person, institution=person.home, phone=phone, text=whole,
                carrier=routing.carrier(phone, learnt), segments=text.count(whole), made_at=now, state_at=now, due_at=now,
            )
        )  # fmt: skip
    return made, left


def _rendered(row, person):
    """The text, or nothing where a variable has no value for this resident."""
    try:
        return texts.render(row.body, row.signature, texts.values_of(person, person.home))
    except KeyError:
        return ""


def _why(person, phone, refused, willing):
    if person.life_state == LifeState.DECEASED:
        return Left.DECEASED
    if person.life_state == LifeState.MOVED:
        return Left.MOVED
    if phone is None:
        return UNREADABLE.get(routing.kind(person.phone), Left.BAD_PHONE)
    if phone in refused:
        return Left.OPTED_OUT
    return None if person.pk in willing else Left.NO_CONSENT
