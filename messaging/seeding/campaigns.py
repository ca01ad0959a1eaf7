"""Campaigns in the demo: templates, one that is over with its receipts and calls, one to release, one to approve."""

import random
import uuid
from datetime import timedelta

from django.utils import timezone

from messaging import building, quota
from messaging.actions import calls, campaigns, practice, templates
from messaging.codes import (
    AttemptKind,
    CallState,
    CampaignState,
    MessageState,
    Purpose,
    Reason,
    ReceiptOutcome,
)
from messaging.models import Attempt, AttemptResult, CallTask, Gateway, Message, Receipt

SEED = 20261123
# name, purpose, text
TEXTS = (
    ("签约到期提醒", Purpose.AGREEMENT, "{name}您好，您的家庭医生签约服务即将到期，请携带身份证到{institution}续签。咨询电话{phone}。"),
    ("流感疫苗接种", Purpose.EDUCATION, "{name}您好，本季流感疫苗已到，60岁以上老人免费接种，请携带身份证到{institution}预约。拒收请回复R"),
    ("随访提醒", Purpose.FOLLOW_UP, "{salutation}您好，您本季度的随访时间已到，请近日到{institution}，或致电{phone}预约。"),
    ("健康讲座", Purpose.EDUCATION, "{name}您好，本周六上午9点{institution}举办健康讲座，欢迎您和家人参加。拒收请回复R"),
)  # fmt: skip
# outcome, reason, the carrier's word, share of a hundred
OUTCOMES = (
    (MessageState.DELIVERED, "", "DELIVRD", 84),
    (MessageState.FAILED, Reason.ABSENT, "MK:0024", 6),
    (MessageState.FAILED, Reason.EMPTY_NUMBER, "MK:0001", 4),
    (MessageState.EXPIRED, Reason.NO_REPORT, "", 4),
    (MessageState.UNKNOWN, Reason.IN_DOUBT, "", 2),
)
SMALL = 10  # recipients above which the demo's centre wants a second person


def make(staff, residents):
    """Through the real actions; what carriers would have answered is written move by lawful move."""
    centre = staff["manager"].institution
    made = {name: _template(centre, name, purpose, body, staff) for name, purpose, body in TEXTS}
    practice.keep(institution=centre, by=staff["manager"], signature="梧桐社区卫生", approval_above=SMALL)
    now = timezone.now()
    flu = _campaign(
        staff["manager"], made["流感疫苗接种"], "流感疫苗接种通知", now - timedelta(days=3), staff["district"]
    )
    _carry(flu, now - timedelta(days=3))
    _call(flu, staff)
    _campaign(staff["manager"], made["健康讲座"], "周六健康讲座", now - timedelta(hours=2))
    waiting = _campaign(staff["clerk"], made["随访提醒"], "四季度随访提醒", now - timedelta(hours=1))
    if waiting.state == CampaignState.READY:
        campaigns.release(campaign=waiting, by=staff["clerk"], now=now - timedelta(minutes=50))


def _template(institution, name, purpose, body, staff):
    return templates.keep(
        institution=institution, name=name, purpose=purpose, body=body, by=staff["manager"], active=True
    )


def _campaign(by, template, name, at, approver=None):
    """Made and counted; released and approved where somebody approves."""
    row = campaigns.make(
        key=uuid.uuid4(), institution=by.institution, name=name, purpose=template.purpose, body=template.body,
        template=template, audience={"source": "criteria"}, by=by, now=at,
    )  # fmt: skip
    row = building.build(row, now=at)
    if approver is None:
        return row
    row = campaigns.release(campaign=row, by=by, now=at)
    return campaigns.approve(campaign=row, by=approver, now=at) if row.state == CampaignState.WAITING else row


def _carry(campaign, begin):
    """Every message to its end, as three carriers would have brought it there."""
    rng = random.Random(SEED)
    gateways = {row.carrier: row for row in Gateway.objects.all()}
    whatever = next(iter(gateways.values()), None)
    if whatever is None:
        return
    kinds = [outcome for outcome in OUTCOMES for _share in range(outcome[3])]
    for number, message in enumerate(Message.objects.filter(campaign=campaign).order_by("pk")):
        at = begin + timedelta(minutes=number * 7)
        _travel(message, gateways.get(message.carrier, whatever), rng.choice(kinds), at, rng)
    campaign.refresh_from_db()
    campaign.state, campaign.ended_at = CampaignState.FINISHED, begin + timedelta(hours=8)
    campaign.save(update_fields=["state", "ended_at"])
    quota.settle(campaign, campaign.ended_at)


def _travel(message, gateway, outcome, at, rng):
    state, reason, stat, _share = outcome
    _move(message, MessageState.CLAIMED, at, claimed_by="demo")
    message.tries, message.gateway = 1, gateway
    message.save(update_fields=["tries", "gateway"])
    attempt = Attempt.objects.create(
        message=message,
        gateway=gateway,
        number=1,
        sequence=f"{message.pk:08x}",
        connection=1,
        worker="demo",
        at=at,
    )
    remote = f"{rng.getrandbits(64):016x}"
    doubt = state == MessageState.UNKNOWN
    AttemptResult.objects.create(
        attempt=attempt, gateway=gateway, kind=AttemptKind.IN_DOUBT if doubt else AttemptKind.ACCEPTED,
        remote_id="" if doubt else remote, at=at + timedelta(seconds=1),
    )  # fmt: skip
    if not doubt:
        _move(
            message, MessageState.SUBMITTED, at + timedelta(seconds=1), submitted_at=at + timedelta(seconds=1)
        )
    end = at + timedelta(seconds=rng.randrange(3, 90)) if stat else at + timedelta(hours=1)
    if stat:
        Receipt.objects.create(
            gateway=gateway, remote_id=remote, phone=message.phone, stat=stat, received_at=end, done_at=end,
            outcome=ReceiptOutcome.DELIVERED if state == MessageState.DELIVERED else ReceiptOutcome.FAILED,
            year=timezone.localtime(end).year, attempt=attempt, matched_at=end,
        )  # fmt: skip
    _move(message, state, end, reason=reason)


def _move(message, state, at, *, reason="", claimed_by="", **facts):
    facts = {"state": state, "state_at": at, "reason": reason, "claimed_by": claimed_by, **facts}
    for name, value in facts.items():
        setattr(message, name, value)
    message.save(update_fields=list(facts))


def _call(campaign, staff):
    """The stations' call tasks, one of them done."""
    calls.make(campaign=campaign, by=staff["manager"])
    first = CallTask.objects.filter(campaign=campaign, institution=staff["nurse"].institution).first()
    if first is not None:
        calls.close(task=first, state=CallState.REACHED, note="已电话告知接种时间", by=staff["nurse"])
