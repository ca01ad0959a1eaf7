"""The demo's tickets: whom to call, what is promised, and a month of reports in every state."""

import uuid
from datetime import timedelta

from django.utils import timezone

from clinic.models import Institution
from maintenance.actions import tickets
from maintenance.codes import Channel, Closing, Module, Severity, Side, TicketKind, WaitingFor
from maintenance.models import Contact, Promise, ServiceLevel, WorkCalendar, WorkSpan

SPACE = uuid.UUID("5be3f6f4-6a1f-4b7e-9a51-6d0f7a0c2c11")
K, M, V = TicketKind, Module, Severity
HOURS = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
PROMISES = (
    (V.CRITICAL, 15, 240, False),
    (V.SERIOUS, 30, 480, True),
    (V.ORDINARY, 120, 960, True),
    (V.SLIGHT, 480, 4800, True),
)
# Days ago, hour, who reports, kind, module, severity, title, description, what became of it.
STORIES = (
    (27, 9, "doctor", K.FAULT, M.CHART, V.SERIOUS, "病历页面打开要等十几秒", "上午接诊高峰时最明显，刷新后好一阵又慢。", "confirmed"),
    (25, 10, "clerk", K.QUESTION, M.SIGNING, V.SLIGHT, "续签时怎样换服务包", "", "answered"),
    (24, 15, "nurse", K.FAULT, M.EQUIPMENT, V.ORDINARY, "诊间打印机走纸偏斜", "打出来的处方右边缺一列。", "silence"),
    (22, 8, "doctor2", K.FAULT, M.CHART, V.CRITICAL, "全站不能签名", "点签名后一直转圈，病人排队。", "late"),
    (21, 11, "manager", K.SUGGESTION, M.REPORTS, V.SLIGHT, "签约报表希望按医生排序", "", "answered"),
    (20, 14, "clerk", K.FAULT, M.MESSAGES, V.SERIOUS, "随访短信有一批没有回执", "群发完成后联通号码都停在已提交。", "waited"),
    (18, 9, "doctor_b", K.FAULT, M.RECEPTION, V.ORDINARY, "候诊名单不自动刷新", "要手工刷新才看得到新登记的人。", "confirmed"),
    (16, 16, "assistant", K.QUESTION, M.CHART, V.SLIGHT, "模板怎样共享给全站", "", "answered"),
    (14, 10, "doctor", K.FAULT, M.CHART, V.SERIOUS, "诊断检索输入拼音没有结果", "输入 tnb 不出糖尿病，输汉字可以。", "reopened"),
    (12, 13, "clerk_b", K.FAULT, M.NETWORK, V.SERIOUS, "站点网络时断时续", "每次断两三分钟，医保和系统都连不上。", "late"),
    (10, 9, "nurse", K.SUGGESTION, M.CHART, V.SLIGHT, "血压输入框字再大一点", "老花眼看不清。", "open"),
    (8, 15, "doctor2", K.FAULT, M.REPORTS, V.ORDINARY, "本月门诊量统计少一天", "", "working"),
    (6, 11, "manager", K.FAULT, M.ACCOUNTS, V.ORDINARY, "新来的护士不能登录", "账号已建，提示角色没有权限。", "confirmed"),
    (5, 9, "doctor", K.FAULT, M.CHART, V.SERIOUS, "打印预览空白", "A5 纸选中后预览没有内容。", "waiting"),
    (4, 14, "clerk", K.FAULT, M.SIGNING, V.ORDINARY, "批量续签的结果表打不开", "", "fixed"),
    (3, 10, "doctor_b", K.FAULT, M.EQUIPMENT, V.ORDINARY, "二诊室读卡器读不出身份证", "换了插口也不行。", "working"),
    (2, 9, "nurse", K.FAULT, M.CHART, V.SERIOUS, "生命体征保存后不见了", "刷新后又出现，怕丢数据。", "accepted"),
    (1, 16, "assistant", K.QUESTION, M.CHART, V.SLIGHT, "退回的病历在哪里改", "", "new"),
    (1, 10, "clerk", K.FAULT, M.MESSAGES, V.ORDINARY, "短信模板审批后看不到", "", "duplicate"),
    (0, 8, "doctor2", K.FAULT, M.CHART, V.SERIOUS, "病历保存提示网络中断", "网络正常，只有这一台这样。", "new"),
)  # fmt: skip


def make(staff, residents):
    _promises()
    _contacts(staff)
    for number, story in enumerate(STORIES):
        _live(staff, number, *story)


def _promises():
    calendar = WorkCalendar.objects.create(name="供应商工作时间")
    for weekday in range(5):
        for begins, ends in HOURS:
            WorkSpan.objects.create(calendar=calendar, weekday=weekday, begins=begins, ends=ends)
    level = ServiceLevel.objects.create(name="合同服务等级", usual=True)
    for severity, response, resolve, office in PROMISES:
        Promise.objects.create(
            level=level,
            severity=severity,
            response=response,
            resolve=resolve,
            calendar=calendar if office else None,
        )


def _contacts(staff):
    office = staff["district"].institution
    rows = [
        (office, Side.DISTRICT_BUSINESS, "district", "13901000001", "副科长 白洁", "13901000011"),
        (office, Side.DISTRICT_IT, "district_it", "13901000002", "值班室", "13901000012"),
        (office, Side.VENDOR, "vendor", "13801000003", "二线 程工", "13801000013"),
        (staff["manager"].institution, Side.CENTRE_BUSINESS, "manager", "13901000004", "", ""),
        (
            staff["manager"].institution,
            Side.CENTRE_IT,
            "centre_it",
            "13901000005",
            "网管 高阳",
            "13901000015",
        ),
    ]
    for institution, side, account, phone, deputy, deputy_phone in rows:
        Contact.objects.create(
            institution=institution, side=side, person=staff[account], phone=phone, deputy=deputy, deputy_phone=deputy_phone
        )  # fmt: skip
    other = Institution.objects.get(code="C02")
    Contact.objects.create(institution=other, side=Side.CENTRE_IT, name="网管 吕航", phone="13901000006")


def _live(staff, number, days, hour, who, kind, module, severity, title, description, fate):
    now = timezone.localtime()
    when = now.replace(hour=hour, minute=number * 7 % 60, second=0, microsecond=0) - timedelta(days=days)
    when = min(when, now - timedelta(minutes=25))
    who, vendor, it = staff[who], staff["vendor"], staff["district_it"]
    key = uuid.uuid5(SPACE, f"ticket {number}")
    given = {
        "kind": kind,
        "module": module,
        "severity": severity,
        "title": title,
        "description": description,
        "key": key,
    }
    if number % 6 == 5:
        given |= {
            "by": it,
            "reporter": who,
            "institution": who.institution,
            "channel": Channel.HOTLINE,
            "reported_at": when,
        }
        ticket = tickets.report(now=when + timedelta(minutes=8), **given)
    else:
        ticket = tickets.report(now=when, by=who, side=Side.VENDOR if kind == K.FAULT else None, **given)
    later = _moments(when, now)
    if fate in ("new", "open") or fate == "duplicate":
        return
    if fate == "answered":
        tickets.close(
            ticket=ticket,
            by=it,
            closing=Closing.ANSWERED,
            words="已电话答复，操作方法见帮助。",
            now=later(90),
        )
        return
    tickets.accept(
        ticket=ticket,
        by=it if module in (M.ACCOUNTS, M.EQUIPMENT) else vendor,
        now=later(400 if fate == "late" else 12),
    )
    if fate == "accepted":
        return
    tickets.work(
        ticket=ticket, by=vendor if ticket.vendor_since else it, now=later(420 if fate == "late" else 40)
    )
    _end(ticket, fate, who, vendor if ticket.vendor_since else it, later)


def _end(ticket, fate, who, worker, later):
    comment = {"ticket": ticket, "key": uuid.uuid5(SPACE, f"comment {ticket.number}")}
    tickets.comment(by=worker, words="已复现，正在查日志。", now=later(60), **comment)
    if fate == "working":
        return
    if fate in ("waiting", "waited"):
        tickets.wait(
            ticket=ticket, by=worker, waiting_for=WaitingFor.USER, reason="等站里提供出错时间", now=later(120)
        )
        if fate == "waiting":
            return
        tickets.work(ticket=ticket, by=worker, now=later(1500))
    tickets.fix(
        ticket=ticket,
        by=worker,
        words="已修复，请试用。",
        now=later(3600 if fate in ("late", "waited") else 200),
    )
    if fate == "reopened":
        tickets.reopen(ticket=ticket, by=who, reason="下午又不行了", now=later(1600))
        tickets.fix(ticket=ticket, by=worker, words="索引重建后正常。", now=later(3000))
    if fate in ("confirmed", "late", "waited", "reopened"):
        tickets.confirm(ticket=ticket, by=who, now=later(4000))
    elif fate == "silence":
        tickets.close_silent(ticket=ticket, now=later(7 * 1440))


def _moments(when, now):
    """A function: so many minutes after the report, never in the future and always onwards."""
    last = [when]

    def later(minutes):
        last[0] = max(last[0] + timedelta(minutes=1), min(when + timedelta(minutes=minutes), now))
        return last[0]

    return later
