"""From an audience to queued messages."""

import uuid

from django.db import transaction
from django.utils import timezone

from clinic.codes import LifeState
from messaging import audiences, consent, routing, texts
from messaging.codes import CampaignState, Left
from messaging.gateways import text
from messaging.models import Campaign, Exclusion, Message


@transaction.atomic
def build(campaign, now=None):
    now = now or timezone.now()
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if row.state != CampaignState.BUILDING:
        return row
    people = list(audiences.resolve(row.audience, row.institution).select_related("home").order_by("pk"))
    phones = {person.pk: routing.normalise(person.phone) for person in people}
    refused = consent.refused_phones([phone for phone in phones.values() if phone])
    willing = consent.willing([person.pk for person in people], row.purpose)
    learnt = routing.overrides([phone for phone in phones.values() if phone], now)
    taken, left, made = set(), [], []
    for person in people:
        phone = phones[person.pk]
        why = _why(person, phone, refused, willing, taken)
        whole = ""
        if not why:
            try:
                whole = texts.render(row.body, row.signature, texts.values_of(person, person.home))
            except KeyError:
                why = Left.NO_VALUE
        if why:
            left.append(Exclusion(campaign=row, resident=person, why=why))
            continue
        taken.add(phone)
        made.append(
            Message(
                uuid=uuid.uuid5(row.uuid, phone), campaign=row, resident=person, institution=person.home, phone=phone,
                carrier=routing.carrier(phone, learnt), text=whole, segments=text.count(whole), made_at=now,
                state_at=now, due_at=now,
            )
        )  # fmt: skip
    Exclusion.objects.bulk_create(left)
    Message.objects.bulk_create(made)
    row.state, row.built_at, row.recipients, row.left_out = CampaignState.READY, now, len(made), len(left)
    row.segments = sum(message.segments for message in made)
    row.save()
    return row


def _why(person, phone, refused, willing, taken):
    if person.life_state == LifeState.DECEASED:
        return Left.DECEASED
    if person.life_state == LifeState.MOVED:
        return Left.MOVED
    kind = routing.kind(person.phone)
    if kind != "mobile":
        return {"empty": Left.NO_PHONE, "landline": Left.LANDLINE}.get(kind, Left.BAD_PHONE)
    if phone in refused:
        return Left.OPTED_OUT
    if person.pk not in willing:
        return Left.NO_CONSENT
    return Left.SAME_PHONE if phone in taken else None
