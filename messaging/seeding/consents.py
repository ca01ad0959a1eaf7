"""What residents of the demo want: some agreed, one refused one purpose, one wrote TD back. Comes after the gateways."""

import uuid
from datetime import timedelta

from django.utils import timezone

from messaging import optout, routing
from messaging.actions import consent as actions
from messaging.codes import ConsentSource, Meaning, Purpose
from messaging.models import Gateway, IncomingMessage

SAID = [
    (0, Purpose.AGREEMENT, True, ConsentSource.FORM, "家庭医生签约服务协议第九条，2026-03-12签字"),
    (0, Purpose.FOLLOW_UP, True, ConsentSource.FORM, "家庭医生签约服务协议第九条，2026-03-12签字"),
    (1, Purpose.EDUCATION, False, ConsentSource.DESK, "“健康讲座的短信就不用发了”"),
    (1, Purpose.FOLLOW_UP, True, ConsentSource.DESK, "门诊时口头同意"),
    (2, Purpose.EDUCATION, True, ConsentSource.DESK, "门诊时口头同意"),
    (3, Purpose.EDUCATION, True, ConsentSource.FORM, "高血压自我管理小组报名表"),
    (3, Purpose.EDUCATION, False, ConsentSource.DESK, "“搬去女儿家住，别再发讲座通知了”"),
]


def make(staff, residents):
    """``staff``: username → User; ``residents``: those of the doctor's station, at least eight."""
    for place, purpose, given, source, document in SAID:
        actions.set_consent(
            resident=residents[place], purpose=purpose, given=given, source=source, document=document, by=staff["doctor"]
        )  # fmt: skip
    _wrote_back(residents[6], "ＴＤ。")
    phone = routing.normalise(residents[7].phone)
    if phone:
        actions.opt_out(
            phone=phone, source=ConsentSource.DESK, document="“什么短信都不要给我发”，本人来窗口说的", by=staff["clerk"]
        )  # fmt: skip


def _wrote_back(resident, text):
    """The handset's own message is the proof."""
    phone, gateway = routing.normalise(resident.phone), Gateway.objects.order_by("pk").first()
    if phone is None or gateway is None:
        return
    now = timezone.now() - timedelta(days=9)
    said, _new = IncomingMessage.objects.get_or_create(
        gateway=gateway, remote_id=f"demo-{phone[-4:]}", year=now.year,
        defaults={
            "uuid": uuid.uuid4(), "phone": phone, "to": gateway.access_number or "10690000", "text": text,
            "meaning": Meaning(optout.meaning(text)), "received_at": now,
        },
    )  # fmt: skip
    optout.honour([(phone, said)], now)
