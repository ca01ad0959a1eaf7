"""The demo's upgrades: one closed after its watch, one announced for next week, one in draft; and the emergency plan they lean on."""

import uuid
from datetime import timedelta

from django.utils import timezone

from clinic.models import Institution
from maintenance.actions import emergencies, upgrades
from maintenance.codes import Business, Module
from maintenance.models import EmergencyPlan, PlanStep, WatchHour

SPACE = uuid.UUID("8d2f6a30-3c1e-4b60-9b53-1f6b1f4c7a55")
# As the README tells.
PASSPHRASE = "sheyi-offline-1"  # noqa: S105
STEPS = (
    ("确认是单机、本站还是全区，打值班电话", "发现人", 5), ("启用纸质病历和候诊登记本", "站长", 10), ("通知信息科和供应商，登记工单", "信息联系人", 10),
    ("每半小时通报一次进展", "信息科", 30), ("恢复后补录纸质病历，两人核对", "医生、护士", None),
)  # fmt: skip
TEXTS = {
    "what": "病历检索提速；短信回执页改版；修复批量续签结果表。", "impact": "升级时全部页面停用约 20 分钟，未保存内容留在浏览器里。",
    "roll_back": "保留上一版本目录与升级前备份，10 分钟内切回。", "rehearsal": "测试环境演练两次，最长 14 分钟。",
}  # fmt: skip


def make(staff, residents):
    now = timezone.localtime()
    plan = _plan(staff)
    places = {
        one: [Business.CHARTING, Business.RECEPTION] for one in Institution.objects.filter(kind="station")
    }
    evening = now.replace(hour=20, minute=0, second=0, microsecond=0)
    _closed(staff, plan, places, evening - timedelta(days=9))
    coming = _planned(staff, "V3.3", plan, places, evening + timedelta(days=5), now)
    upgrades.assess(upgrade=coming, by=staff["district_it"], now=now)
    upgrades.approve(upgrade=coming, by=staff["district"], now=now)
    upgrades.announce(upgrade=coming, by=staff["district_it"], now=now)
    mine = coming.sites.filter(institution__path__startswith=staff["manager"].institution.path).first()
    upgrades.acknowledge(site=mine, by=staff["manager"], now=now)
    _planned(staff, "V3.4", None, places, evening + timedelta(days=26), now, impact="", roll_back="")


def _plan(staff):
    made = EmergencyPlan.objects.create(
        institution=staff["district"].institution,
        name="系统停用应急预案",
        when="系统升级、故障或断网致全站不能使用",
        every=6,
    )
    for number, (what, who, within) in enumerate(STEPS, 1):
        PlanStep.objects.create(plan=made, number=number, what=what, who=who, within=within)
    station = staff["doctor"].institution
    for months, score, findings in (
        (8, 78, "两名医生不知道纸质病历放在哪里。"),
        (2, 92, "启用纸质病历用时 6 分钟，补录无遗漏。"),
    ):
        on = timezone.localdate() - timedelta(days=30 * months)
        emergencies.drill(
            key=uuid.uuid5(SPACE, f"drill {months}"),
            plan=made,
            institution=station,
            by=staff["manager"],
            on=on,
            score=score,
            findings=findings,
        )
    emergencies.print_pad(institution=station, by=staff["nurse"], sheets=20)
    emergencies.set_passphrase(institution=station, by=staff["manager"], passphrase=PASSPHRASE)
    return made


def _planned(staff, release, plan, places, starts_at, now, **other):
    texts = {**TEXTS, **other}
    return upgrades.plan(
        key=uuid.uuid5(SPACE, release), by=staff["vendor"], sites=places, release=release, modules=[Module.CHART, Module.MESSAGES],
        plan=plan, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2), responsible=staff["district_it"],
        rehearsed_on=now.date() if plan else None, now=now, **texts,
    )  # fmt: skip


def _closed(staff, plan, places, begun):
    """As its people did it then, each act with the time it had."""
    before = begun - timedelta(days=7)
    row = _planned(staff, "V3.2", plan, places, begun, before)
    upgrades.assess(upgrade=row, by=staff["district_it"], now=before)
    upgrades.approve(upgrade=row, by=staff["district"], now=before + timedelta(hours=1))
    upgrades.announce(upgrade=row, by=staff["district_it"], now=before + timedelta(hours=2))
    for site in row.sites.all():
        upgrades.override(
            site=site, by=staff["district"], reason="电话已逐站确认", now=before + timedelta(days=1)
        )
    upgrades.begin(upgrade=row, by=staff["district_it"], now=begun + timedelta(minutes=5))
    done = begun + timedelta(minutes=40)
    upgrades.finish(upgrade=row, by=staff["district_it"], now=done)
    first = done.replace(minute=0)
    WatchHour.objects.bulk_create(
        WatchHour(
            upgrade=row, hour=first + timedelta(hours=n), now=_hour(n, 1), before=_hour(n, 0), alarming=False,
        )
        for n in range(72)
    )  # fmt: skip
    upgrades.close(
        upgrade=row,
        by=staff["district_it"],
        review="窗口内完成，观察 72 小时，保存失败与响应时间与上周持平。",
        now=done + timedelta(days=3),
    )


def _hour(n, after):
    busy = 8 <= (21 + n) % 24 <= 18
    requests = (1800 if busy else 60) + (n * 37 + after * 53) % 90
    return {
        "requests": requests,
        "errors": int((n + after) % 11 == 0),
        "p95": 150 if busy else 75,
        "saves_failed": int(busy and n % 7 == after),
        "tickets": int(busy and n % 9 == 0),
    }
