"""The demo district's packages, its agreement text and who lives where."""

from datetime import date

from django.utils import timezone

from clinic.codes import KeyPopulation
from clinic.models import Institution
from contracts.codes import EvidenceKind, Group, PackageKind, Period, ServiceKind
from contracts.models import AgreementText, Package, PackageItem, PackageVersion, Population

VISIT, HOME, MESSAGE = EvidenceKind.VISIT.value, EvidenceKind.HOME_VISIT.value, EvidenceKind.MESSAGE.value
S, P = ServiceKind, Period
# code, name, kind, price and waiver a year, eligibility, description, services (name, kind, times, period, evidence).
PACKAGES = (
    ("JC", "基本服务包", PackageKind.BASIC, 120, 120, {}, "基本医疗与基本公共卫生服务，由医保基金和公共卫生经费承担。", (
        ("健康档案更新", S.MANAGEMENT, 1, P.YEAR, [VISIT, HOME]),
        ("年度健康评估", S.MANAGEMENT, 1, P.YEAR, [VISIT]),
        ("健康教育与咨询", S.EDUCATION, 2, P.YEAR, [VISIT, MESSAGE]),
        ("优先预约与转诊", S.APPOINTMENT, 1, P.TERM, []),
    )),
    ("GXY", "高血压管理包", PackageKind.PERSONAL, 160, 100, {"groups": [Group.HYPERTENSION.value]}, "每季度一次面对面随访，用药指导。", (
        ("血压随访", S.PUBLIC_HEALTH, 1, P.QUARTER, [VISIT, HOME]),
        ("用药指导", S.MEDICINES, 2, P.YEAR, [VISIT]),
        ("长期处方", S.LONG_PRESCRIPTION, 4, P.YEAR, [VISIT]),
    )),
    ("TNB", "糖尿病管理包", PackageKind.PERSONAL, 200, 120, {"groups": [Group.DIABETES.value]}, "每季度一次血糖随访，每年一次足部检查。", (
        ("血糖随访", S.PUBLIC_HEALTH, 1, P.QUARTER, [VISIT, HOME]),
        ("足部与眼底检查", S.MEDICAL, 1, P.YEAR, [VISIT]),
    )),
    ("LNR", "老年人关爱包", PackageKind.PERSONAL, 100, 100, {"age_from": 65}, "65岁及以上老年人健康管理。", (
        ("老年人健康体检", S.PUBLIC_HEALTH, 1, P.YEAR, [VISIT]),
        ("中医体质辨识", S.TCM, 1, P.YEAR, [VISIT]),
        ("上门访视", S.HOME, 2, P.YEAR, [HOME]),
    )),
    ("ET", "儿童健康包", PackageKind.PERSONAL, 80, 80, {"age_to": 6}, "0–6岁儿童生长发育监测。", (
        ("生长发育评估", S.PUBLIC_HEALTH, 2, P.YEAR, [VISIT]),
        ("预防接种提醒", S.EDUCATION, 2, P.YEAR, [MESSAGE]),
    )),
    ("ZYB", "中医治未病包", PackageKind.PERSONAL, 260, 0, {"age_from": 18}, "体质辨识、四季调养指导。", (
        ("体质辨识与调养方案", S.TCM, 1, P.QUARTER, [VISIT]),
    )),
)  # fmt: skip
BODY = """一、签约双方
甲方为提供服务的社区卫生服务机构及其家庭医生团队，乙方为自愿签约的居民。乙方为未成年人或不能亲自签约的，由其监护人或家人代签。

二、服务内容
甲方按本协议所列服务包提供服务：基本医疗、公共卫生、健康管理、健康教育与咨询、优先预约、优先转诊、出诊、用药指导、长期处方、中医“治未病”等。每项服务的次数和周期以协议所附清单为准。

三、甲方责任
1. 为乙方建立并管理健康档案，保护乙方个人信息，不用于约定之外的目的。
2. 家庭医生为第一责任人，团队成员分工协作，服务时间内接受乙方咨询。
3. 协议到期前提醒乙方续约。

四、乙方责任
1. 如实提供健康状况、住址和联系方式，变更时及时告知。
2. 配合随访和健康管理，遵从合理的诊疗建议。

五、服务费用
服务包价格、减免金额及承担方以协议所列为准。未列明的诊疗、药品按规定另行收费。

六、协议期限
协议期为一至三年，自起始日起生效。期满前九十日起可以续约；未续约的，期满自动终止。

七、变更与解除
乙方可以申请更换家庭医生团队；双方均可按规定解除协议，并说明原因。乙方去世或迁出的，协议终止。

八、信息告知
甲方可通过电话、短信告知与签约服务有关的事项。乙方可以随时退订短信。

九、其他
本协议一式两份，双方各执一份。未尽事宜由双方协商解决。"""


def make(staff):
    """Packages and text of the district office, in force since the beginning of last year; people by area."""
    office, district = staff["district"], staff["district"].institution
    since = date(timezone.localdate().year - 1, 1, 1)
    versions = {code: _package(district, office, since, code, *facts) for code, *facts in PACKAGES}
    text = AgreementText.objects.create(
        institution=district,
        version=f"{since.year}版",
        title="家庭医生签约服务协议",
        body=BODY,
        valid_from=since,
    )
    text.published_at, text.published_by = timezone.now(), office
    text.save()
    _people()
    return versions, text


def _package(district, office, since, code, name, kind, price, waiver, eligible, description, services):
    package = Package.objects.create(institution=district, code=code, name=name, kind=kind)
    version = PackageVersion.objects.create(
        package=package, number=1, valid_from=since, price=price, waiver=waiver, description=description,
        waiver_note="医保基金、公共卫生经费" if waiver else "", **eligible,
    )  # fmt: skip
    for order, (item, service, times, period, evidence) in enumerate(services):
        PackageItem.objects.create(
            version=version,
            order=order,
            name=item,
            service=service,
            times=times,
            period=period,
            evidence=evidence,
        )
    version.published_at, version.published_by = timezone.now(), office
    version.save()
    return version


# Of a hundred people at a station, so many belong to a group.
SHARES = {
    Group.ALL.value: 100, Group.KEY.value: 42, Group.CHILD.value: 6, Group.SENIOR.value: 21,
    KeyPopulation.HYPERTENSION.value: 18, KeyPopulation.DIABETES.value: 7,
}  # fmt: skip


def _people():
    year = timezone.localdate().year
    stations = Institution.objects.filter(kind="station").order_by("code")
    for number, station in enumerate(stations):
        for group, share in SHARES.items():
            for when in (year - 1, year):
                Population.objects.create(
                    institution=station, year=when, group=group, people=(60 + 12 * number) * share // 100,
                    document="人口抽样调查" if when == year else "",
                )  # fmt: skip
