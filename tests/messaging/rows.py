"""Campaigns and messages for tests, brought to their states by lawful moves."""

import itertools
import uuid

from django.utils import timezone

from messaging.codes import CampaignKind, CampaignState, Carrier, Protocol, Purpose
from messaging.models import Campaign, Gateway, Message
from tests import factories

_serial = itertools.count(1)
WAY = {
    "queued": [], "cancelled": ["cancelled"], "claimed": ["claimed"], "unknown": ["claimed", "unknown"],
    "submitted": ["claimed", "submitted"], "delivered": ["claimed", "submitted", "delivered"],
    "failed": ["claimed", "submitted", "failed"], "expired": ["claimed", "submitted", "expired"],
}  # fmt: skip


def campaign(institution, made_by=None, state=CampaignState.RUNNING, **fields):
    fields.setdefault("name", f"流感疫苗接种通知{next(_serial)}")
    fields.setdefault("purpose", Purpose.EDUCATION)
    fields.setdefault("kind", CampaignKind.BULK)
    fields.setdefault("built_at", timezone.now())
    return Campaign.objects.create(
        institution=institution,
        made_by=made_by,
        state=state,
        body="{name}您好，请来接种。",
        signature="社区卫生",
        **fields,
    )


def gateway(name="移动", carrier=Carrier.MOBILE):
    return Gateway.objects.create(
        name=f"{name}{next(_serial)}", protocol=Protocol.CMPP2, carrier=carrier, host="127.0.0.1",
        port=7890 + next(_serial), login="900001",
    )  # fmt: skip


def message(of, resident=None, state="queued", reason="", carrier=Carrier.MOBILE, **fields):
    """One message of the campaign, at the state; its recipients are counted along."""
    resident = resident or factories.resident(of.institution)
    made = Message.objects.create(
        uuid=uuid.uuid4(), campaign=of, resident=resident, institution=resident.home, phone=resident.phone,
        carrier=carrier, text="【社区卫生】您好，请来接种。", segments=fields.pop("segments", 1),
    )  # fmt: skip
    of.recipients += 1
    of.segments += made.segments
    of.save(update_fields=["recipients", "segments"])
    return move(made, state, reason, **fields)


def move(made, state, reason="", **fields):
    for step in WAY[state]:
        made.state, made.state_at = step, timezone.now()
        made.claimed_by = "test" if step == "claimed" else ""
        last = step == state
        made.reason = reason if last else ""
        for name, value in (fields if last else {}).items():
            setattr(made, name, value)
        made.save(update_fields=["state", "state_at", "claimed_by", "reason", *(fields if last else ())])
    return made
