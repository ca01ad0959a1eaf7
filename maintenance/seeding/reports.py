"""The demo's weekly reports, two of them signed, and the meetings that talked about them."""

import uuid
from datetime import timedelta

from django.utils import timezone

from maintenance.actions import meetings, reports
from maintenance.codes import ActionState
from maintenance.weekly import figures

WORDS = (
    {"summary": "本周故障集中在病历打开缓慢和打印，均已处理。", "problems": "高峰时段数据库连接不足。", "measures": "调整连接数，更换诊间打印机纸盒。", "next": "回访各站使用情况。"},
    {"summary": "青禾园站线路时断时续，供应商响应超时一次。", "problems": "站点线路老化；夜间值班电话无人接听。", "measures": "已报修线路；要求供应商补充夜班。", "next": "检查各站备用线路。"},
)  # fmt: skip
ITEMS = (
    ("联系运营商更换青禾园站线路", "centre_it", 10, False),
    ("供应商补充夜班值守名单", "vendor", 5, True),
    ("整理常见问题发给各站", "district_it", 16, False),
)


def make(staff, residents):
    now = timezone.now()
    this = figures.monday_of(timezone.localdate(now))
    for n, words in zip((3, 2), WORDS, strict=True):
        row = reports.make(monday=this - figures.WEEK * n, by=staff["district_it"], now=now)
        row = reports.write(report=row, words=words, seen=reports.fingerprint(row), by=staff["district_it"])
        reports.sign(report=row, by=staff["district"], seen=reports.fingerprint(row), now=now)
        _meeting(staff, row, now)
    reports.make(monday=this - figures.WEEK, by=staff["district_it"], now=now)


def _meeting(staff, report, now):
    held = figures.bounds(report.monday)[1] + timedelta(hours=33)
    made = meetings.call(
        key=uuid.uuid5(report.uuid, "meeting"), held_at=held, by=staff["district"], place="社管中心三楼会议室"
    )
    if made.report_id != report.pk:
        made.report, made.agenda = report, meetings.agenda_of(report)
        made.save()
    people = [staff[name] for name in ("district", "district_it", "manager", "centre_it", "vendor")]
    meetings.minute(
        meeting=made, by=staff["district"], decisions="各项按期落实，下周例会检查。", people=people
    )
    if report.words["summary"] != WORDS[1]["summary"]:
        meetings.close(meeting=made, by=staff["district"], now=now)
        return
    for number, (words, owner, days, done) in enumerate(ITEMS):
        item = meetings.ask(
            meeting=made, key=uuid.uuid5(made.uuid, f"item {number}"), by=staff["district"], words=words, owner=staff[owner],
            due_on=timezone.localdate(held) + timedelta(days=days),
        )  # fmt: skip
        if done:
            meetings.end(item=item, by=staff[owner], state=ActionState.DONE, note="名单已发群", now=now)
