"""The demo district: an office, two health centres, four stations, their neighbourhoods and their staff."""

import itertools
import os

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from clinic.models import Community, Institution, User

INSTITUTIONS = (
    ("SG", None, InstitutionKind.DISTRICT, "东城区社区卫生服务管理中心", "社管中心"),
    ("C01", "SG", InstitutionKind.CENTRE, "梧桐社区卫生服务中心", "梧桐中心"),
    ("C02", "SG", InstitutionKind.CENTRE, "青禾社区卫生服务中心", "青禾中心"),
    ("S0101", "C01", InstitutionKind.STATION, "梧桐里社区卫生服务站", "梧桐里站"),
    ("S0102", "C01", InstitutionKind.STATION, "银杏巷社区卫生服务站", "银杏巷站"),
    ("S0201", "C02", InstitutionKind.STATION, "青禾园社区卫生服务站", "青禾园站"),
    ("S0202", "C02", InstitutionKind.STATION, "朝霞里社区卫生服务站", "朝霞里站"),
)
# Streets and committees of our own under 110101: their street numbers (091, 092) are given to nobody.
COMMUNITIES = (
    ("110101091001", "梧桐街道", "梧桐里社区", "S0101"),
    ("110101091002", "梧桐街道", "槐荫社区", "S0101"),
    ("110101091003", "梧桐街道", "小桥社区", "S0101"),
    ("110101091004", "梧桐街道", "银杏巷社区", "S0102"),
    ("110101091005", "梧桐街道", "钟鼓社区", "S0102"),
    ("110101092001", "青禾街道", "青禾园社区", "S0201"),
    ("110101092002", "青禾街道", "柳堤社区", "S0201"),
    ("110101092003", "青禾街道", "朝霞里社区", "S0202"),
    ("110101092004", "青禾街道", "望湖社区", "S0202"),
)
STAFF = (
    ("doctor", Role.DOCTOR, "S0101", "王淑珍", "副主任医师"),
    ("doctor2", Role.DOCTOR, "S0101", "李国强", "主治医师"),
    ("assistant", Role.ASSISTANT, "S0101", "周晓", "住院医师"),
    ("nurse", Role.NURSE, "S0101", "孙丽", "护师"),
    ("clerk", Role.CLERK, "S0101", "钱芳", ""),
    ("doctor_b", Role.DOCTOR, "S0201", "赵敏", "主治医师"),
    ("clerk_b", Role.CLERK, "S0201", "何静", ""),
    ("manager", Role.MANAGER, "C01", "吴卫东", "主任医师"),
    ("centre_it", Role.CENTRE_IT, "C01", "许磊", ""),
    ("district", Role.DISTRICT, "SG", "郭文华", ""),
    ("district_it", Role.DISTRICT_IT, "SG", "罗浩", ""),
    ("vendor", Role.VENDOR, "SG", "唐工", ""),
    ("auditor", Role.AUDITOR, "SG", "郑清", ""),
    ("sysadmin", Role.SYSADMIN, "SG", "沈涛", ""),
    ("secadmin", Role.SECADMIN, "SG", "冯安", ""),
)

# For a whole district: names and street numbers that ``grow`` takes in this order.
MORE = ("春晖", "南湖", "东风", "光明", "向阳", "翠竹", "松林", "玉泉", "清河", "金桥", "文苑", "长青")
ENDINGS = ("里", "园", "巷", "苑")
MORE_STREETS = ("093", "094", "095", "096", "097", "098")
STATIONS_PER_CENTRE, COMMUNITIES_PER_STATION = 8, 3


def is_empty():
    """Whether nobody works here yet."""
    return not User.objects.exists() and not Institution.objects.exists()


def make():
    """Institutions, neighbourhoods and accounts; what is there already stays as it is."""
    return {"places": institutions(), "communities": communities(), "staff": staff()}


def institutions():
    made = {row.code: row for row in Institution.objects.all()}
    for number, (code, parent, kind, name, short) in enumerate(INSTITUTIONS):
        if code not in made:
            made[code] = Institution.objects.create(
                code=code, parent=made.get(parent), kind=kind, name=name, short_name=short,
                phone=f"010-0000{number:04d}", address=f"{name[:2]}街道{number + 1}号",
            )  # fmt: skip
    return made


def communities():
    places = {row.code: row for row in Institution.objects.all()}
    for code, street, name, station in COMMUNITIES:
        Community.objects.get_or_create(
            code=code, defaults={"street": street, "name": name, "institution": places[station]}
        )
    return list(Community.objects.select_related("institution").order_by("code"))


def staff():
    """The demo accounts. Their password comes from the environment and need not be a good one."""
    places = {row.code: row for row in Institution.objects.all()}
    # Hashed once for all: fifteen times would be most of a first start.
    password = make_password(os.environ.get("SHEYI_DEMO_PASSWORD") or "sheyi-demo-1")
    known = {user.username: user for user in User.objects.all()}
    for number, (username, role, where, name, title) in enumerate(STAFF, start=1):
        if username not in known:
            known[username] = User.objects.create(
                username=username, role=role, institution=places[where], name=name, title=title,
                licence=f"11011010000{number:04d}" if title else "", password=password,
                must_change_password=False, password_changed_at=timezone.now(),
            )  # fmt: skip
    return known


def grow(stations):
    """Centres of eight stations, three neighbourhoods, a doctor and a nurse each, until there are so many stations.
    Nobody can sign in as these people. As many as there are names for (48) can be added."""
    names = [first + ending for first, ending in itertools.product(MORE, ENDINGS)]
    there = Institution.objects.filter(kind=InstitutionKind.STATION).count()
    number = Institution.objects.filter(code__regex="^S0[3-8]").count()
    while there < stations and number < len(names):
        _station(number, names[number])
        there, number = there + 1, number + 1


def _station(number, name):
    street, place = divmod(number, STATIONS_PER_CENTRE)
    centre, _new = Institution.objects.get_or_create(
        code=f"C{street + 3:02d}",
        defaults={
            "parent": Institution.objects.get(parent=None), "kind": InstitutionKind.CENTRE,
            "name": f"{name[:2]}社区卫生服务中心", "short_name": f"{name[:2]}中心",
        },
    )  # fmt: skip
    station = Institution.objects.create(
        code=f"S{street + 3:02d}{place + 1:02d}", parent=centre, kind=InstitutionKind.STATION,
        name=f"{name}社区卫生服务站", short_name=f"{name}站",
    )  # fmt: skip
    for each in range(COMMUNITIES_PER_STATION):
        code = f"110101{MORE_STREETS[street]}{place * COMMUNITIES_PER_STATION + each + 1:03d}"
        Community.objects.create(
            code=code,
            street=f"{centre.short_name[:2]}街道",
            name=f"{name}{'一二三'[each]}社区",
            institution=station,
        )
    for role, who in ((Role.DOCTOR, "医生"), (Role.NURSE, "护士")):
        User.objects.create(
            username=f"{role.value}-{station.code.lower()}", role=role, institution=station, name=f"{name}{who}",
            title="主治医师" if role == Role.DOCTOR else "护师", password=make_password(None),
            password_changed_at=timezone.now(), must_change_password=False,
        )  # fmt: skip
