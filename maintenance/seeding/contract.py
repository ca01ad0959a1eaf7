"""The demo's contract with its vendor: clauses, quarterly payments, and what the month's tickets broke."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from maintenance import breaches
from maintenance.actions import breaches as actions
from maintenance.codes import BreachState, Formula, Measure, Severity
from maintenance.models import Breach, Clause, Payment, ServiceLevel, VendorContract

YEAR_SUM = Decimal(480_000)
CLAUSES = (
    ("8.1", Measure.RESPONSE_LATE, "", Formula.EACH, 200, None, None, "未在约定时间内响应的，每次扣 200 元。"),
    ("8.2", Measure.RESOLVE_LATE, Severity.CRITICAL, Formula.PER_HOUR, 500, None, 10_000, "特别严重故障逾期未修复的，每逾期一个工作小时扣 500 元，单次不超过 1 万元。"),
    ("8.3", Measure.RESOLVE_LATE, Severity.SERIOUS, Formula.PER_HOUR, 200, None, 4_000, "严重故障逾期未修复的，每逾期一个工作小时扣 200 元，单次不超过 4 千元。"),
    ("8.4", Measure.RESOLVE_LATE, Severity.ORDINARY, Formula.EACH, 300, None, None, "一般故障逾期未修复的，每次扣 300 元。"),
    ("8.5", Measure.REOPENED, "", Formula.EACH, 150, None, None, "修复后同一问题再次出现的，每次扣 150 元。"),
    ("8.6", Measure.SAVES_LOST, "", Formula.PERCENT, None, 1, 10_000, "因系统原因造成病历数据丢失且不能恢复的，每次按合同金额的 1% 扣款。"),
    ("8.7", Measure.UPGRADE_FAILED, "", Formula.EACH, 2_000, None, None, "升级失败回退影响门诊的，每次扣 2000 元。"),
)  # fmt: skip


def make(staff, residents):
    now = timezone.now()
    contract = _contract(timezone.localdate(now))
    breaches.find(now)
    _decided(contract, staff, now)


def _contract(today):
    # The month before may lie in the year before.
    starts = date((today - timedelta(days=62)).year, 1, 1)
    made = VendorContract.objects.create(
        number=f"DCSG-YW-{starts.year}-01", vendor="明桥信息技术有限公司", starts=starts, ends=date(starts.year + 1, 12, 31),
        amount=YEAR_SUM, level=ServiceLevel.objects.get(usual=True),
    )  # fmt: skip
    for number, measure, severity, formula, amount, percent, cap, words in CLAUSES:
        Clause.objects.create(
            contract=made, number=number, measure=measure, severity=severity, formula=formula, amount=amount, percent=percent,
            cap=cap, words=words,
        )  # fmt: skip
    for quarter in range(8):
        due = date(starts.year + (quarter + 1) // 4, (quarter + 1) % 4 * 3 + 1, 15)
        paid = due if due < today - timedelta(days=7) else None
        Payment.objects.create(contract=made, due_on=due, amount=YEAR_SUM / 8, paid_on=paid)
    return made


def _decided(contract, staff, now):
    """Found a month ago as the job would have, decided, and the month frozen."""
    month = (timezone.localdate(now).replace(day=1) - timedelta(days=1)).replace(day=1)
    lost = Clause.objects.select_related("contract").get(contract=contract, measure=Measure.SAVES_LOST)
    made = actions.charge(
        clause=lost, on=month + timedelta(days=11), key=contract.uuid, by=staff["district"], now=now,
        words="12 日上午青禾园站断电后一份未签病历恢复不全。",
    )  # fmt: skip
    actions.object_to(
        breach=made, by=staff["vendor"], words="断电非我方原因，且草稿已恢复到断电前 40 秒。", now=now
    )
    actions.waive(breach=made, by=staff["district"], words="核对保存记录，断电前的内容均在，免除。", now=now)
    found = list(Breach.objects.filter(contract=contract, state=BreachState.OPEN).order_by("pk"))
    if len(found) > 2:
        actions.confirm(breach=found[0], by=staff["district"], now=now)
        actions.object_to(breach=found[1], by=staff["vendor"], words="报修当晚站点无人接电话。", now=now)
    actions.freeze(contract=contract, month=month, by=staff["district"], now=now)
