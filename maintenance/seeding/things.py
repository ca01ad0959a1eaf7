"""The demo's equipment: what a district's office, centres and stations have, with lines that this machine answers for."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from clinic.codes import InstitutionKind
from clinic.models import Institution
from maintenance.codes import EquipmentKind
from maintenance.models import Equipment, LinkHour
from maintenance.things.wants import BANDWIDTH

K, I = EquipmentKind, InstitutionKind  # noqa: E741
# Kind, name, make, years old; of each kind of institution.
THINGS = {
    I.DISTRICT: ((K.FIREWALL, "核心防火墙", "USG6650E", 4), (K.SWITCH, "核心交换机", "S12708", 4), (K.SERVER, "应用服务器一", "2288H V6", 3), (K.SERVER, "应用服务器二", "2288H V6", 3), (K.SERVER, "数据库服务器", "2488H V6", 3)),
    I.CENTRE: ((K.FIREWALL, "出口防火墙", "USG6325E", 5), (K.SWITCH, "汇聚交换机", "S5735-L48", 5), (K.PRINTER, "收费打印机", "LQ-630K", 6)),
    I.STATION: ((K.SWITCH, "接入交换机", "S1730S-L8", 6), (K.TERMINAL, "一诊室电脑", "启天 M420", 8), (K.TERMINAL, "二诊室电脑", "启天 M430", 5), (K.TERMINAL, "登记台电脑", "启天 M430", 5), (K.PRINTER, "诊间打印机", "LaserJet M132", 7)),
}  # fmt: skip
LIFE = 6


def make(staff, residents):
    today, now = timezone.localdate(), timezone.now()
    for place in Institution.objects.order_by("path"):
        for number, (kind, name, model, years) in enumerate(THINGS[place.kind]):
            bought = today - timedelta(days=365 * years + 40 * number)
            Equipment.objects.create(
                institution=place, kind=kind, name=name, model=model, serial=f"{place.code}-{number + 1:02d}", bought_on=bought,
                warranty_until=bought + timedelta(days=365 * 3), replace_on=bought + timedelta(days=365 * LIFE),
                replacement="列入下年度采购" if years >= LIFE else "",
            )  # fmt: skip
        _line(place, today, now)


def _line(place, today, now):
    """The line of the last station is narrower than it should be."""
    narrow = place.code == "S0202"
    row = Equipment.objects.create(
        institution=place, kind=K.LINE, name=f"{place.short_name}专线", model="光纤", bandwidth=50 if narrow else BANDWIDTH[place.kind],
        bought_on=today - timedelta(days=700), host="127.0.0.1", port=settings.DEMO_PORT,
    )  # fmt: skip
    hour = now.replace(minute=0, second=0, microsecond=0)
    LinkHour.objects.bulk_create(
        LinkHour(
            equipment=row, hour=hour - timedelta(hours=n), probes=60, failed=6 if narrow and n % 17 == 0 else 0,
            total=60 * (900 + (n * 131 + row.pk * 57) % 700), worst=4000,
        )
        for n in range(1, 72)
    )  # fmt: skip
