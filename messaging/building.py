"""From an audience to queued messages, step by step: each step is one transaction, and a job that was cut off goes on
where the last one ended. Rows go in by COPY: a million of them in minutes, and memory does not grow with them."""

import io
import uuid
from datetime import timedelta
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from clinic.codes import LifeState
from clinic.errors import Refused
from clinic.models import Institution
from messaging import audiences, consent, routing, texts
from messaging.codes import CampaignState, Left, MessageState, Reason
from messaging.gateways import text
from messaging.models import Campaign, Exclusion, Message

STEP = 5000
LEFT_BEHIND = timedelta(minutes=2)
PERSON = ("pk", "name", "sex", "birth_date", "phone", "life_state", "home_id")
UNREADABLE = {"empty": Left.NO_PHONE, "landline": Left.LANDLINE}
# What differs from message to message; every other column is the same in all of them.
OWN = ("uuid", "resident_id", "institution_id", "phone", "carrier", "text", "segments")
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def build(campaign, now=None):
    """Make the messages of a campaign that is BUILDING; return it, READY. An audience that cannot be read any more ends
    it, with the fault told. Two at once take turns."""
    now = now or timezone.now()
    try:
        row = _step(campaign.pk, now)
        while row.state == CampaignState.BUILDING:
            row = _step(campaign.pk, now)
    except Refused as refusal:
        return _give_up(campaign.pk, refusal, now)
    return row


def build_left_behind(now) -> int:
    """Go on with audiences whose job died; return how many."""
    rows = Campaign.objects.filter(state=CampaignState.BUILDING, made_at__lt=now - LEFT_BEHIND)
    return len([build(row, now) for row in rows.order_by("pk")])


@transaction.atomic
def _give_up(key, refusal, now):
    row = Campaign.objects.select_for_update().get(pk=key)
    if row.state == CampaignState.BUILDING:
        row.state, row.fault, row.ended_at = CampaignState.CANCELLED, refusal.message[:200], now
        row.save(update_fields=["state", "fault", "ended_at"])
        row.messages.filter(state=MessageState.QUEUED).update(
            state=MessageState.CANCELLED, reason=Reason.CAMPAIGN, state_at=now
        )
    return row


@transaction.atomic
def _step(key, now):
    row = Campaign.objects.select_for_update(of=("self",)).select_related("institution").get(pk=key)
    if row.state != CampaignState.BUILDING:
        return row
    rows = audiences.resolve(row.audience, row.institution).filter(pk__gt=row.built_to).order_by("pk")
    people = list(rows.values_list(*PERSON, named=True)[:STEP])
    if not people:
        row.state, row.built_at = CampaignState.READY, now
        row.save(update_fields=["state", "built_at"])
        return row
    made, left = _sorted(row, people, now)
    Exclusion.objects.bulk_create(left)
    _copy(row, made, now)
    row.built_to = people[-1].pk
    row.recipients += len(made)
    row.left_out += len(left)
    row.segments += sum(line[-1] for line in made)
    row.skip_history_when_saving = True  # half a count is nobody's version
    row.save(update_fields=["built_to", "recipients", "left_out", "segments"])
    del row.skip_history_when_saving
    return row


def _sorted(row, people, now):
    """(values of OWN for each message, exclusions) of these residents."""
    phones = {person.pk: routing.normalise(person.phone) for person in people}
    known = [phone for phone in phones.values() if phone]
    refused = consent.refused_phones(known)
    willing = consent.willing(list(phones), row.purpose)
    learnt = routing.overrides(known, now)
    keys = {phone: uuid.uuid5(row.uuid, phone) for phone in known}
    taken = set(Message.objects.filter(uuid__in=keys.values()).values_list("uuid", flat=True))
    places = Institution.objects.in_bulk({person.home_id for person in people})
    more = audiences.values(row.audience, list(phones))
    render = partial(_rendered, row, timezone.localdate(now), more)
    made, left = [], []
    for person in people:
        phone = phones[person.pk]
        why = _why(person, phone, refused, willing) or (Left.SAME_PHONE if keys[phone] in taken else None)
        whole = "" if why else render(person, places[person.home_id])
        why = why or (None if whole else Left.NO_VALUE)
        if why:
            left.append(Exclusion(campaign=row, resident_id=person.pk, why=why))
            continue
        taken.add(keys[phone])
        carrier = routing.carrier(phone, learnt)
        made.append(
            (keys[phone], person.pk, person.home_id, phone, str(carrier), whole, text.count(whole))
        )  # fmt: skip
    return made, left


def _rendered(row, today, more, person, place):
    """The text, or nothing where a variable has no value for this resident."""
    try:
        return texts.render(
            row.body, row.signature, {**texts.values_of(person, place, today), **more.get(person.pk, {})}
        )
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


def _copy(row, made, now):
    """Queue them."""
    if not made:
        return
    alike = Message(campaign=row, made_at=now, state_at=now, due_at=now)
    columns = [one for one in Message._meta.concrete_fields if one.attname not in OWN and not one.primary_key]
    tail = "\t".join(_field(getattr(alike, one.attname)) for one in columns)
    lines = "".join("\t".join(map(_field, line)) + f"\t{tail}\n" for line in made)
    names = ", ".join(f'"{name}"' for name in [*OWN, *(one.column for one in columns)])
    with connection.cursor() as cursor:
        cursor.copy_expert(f'COPY "{Message._meta.db_table}" ({names}) FROM STDIN', io.StringIO(lines))


def _field(value):
    """One value in COPY's text form."""
    if isinstance(value, str):
        return value.translate(ESCAPES)
    if value is None:
        return r"\N"
    if isinstance(value, list):
        return "{}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
