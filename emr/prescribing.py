"""Medication lines: days (处方管理办法 art. 19, 长期处方管理规范 art. 12, rules B5.5) and known allergies."""

import re
import unicodedata

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.models import Allergy
from emr.codes import Frequency, Route

# Whoever does not bear one substance of a class is warned of all of them. Names as they stand in the national
# medicine list, shortened to the part that the forms of a drug share. Not exhaustive, and never a block.
CLASSES = {
    "青霉素": (
        "青霉素", "西林", "苄星", "舒巴坦", "克拉维酸", "他唑巴坦", "penicillin",
    ),
    "头孢": ("头孢", "先锋霉素", "拉氧头孢", "头霉素", "cef", "ceph"),
    "磺胺": ("磺胺", "复方新诺明", "新诺明", "柳氮磺吡啶", "sulfa"),
    "大环内酯": ("大环内酯", "红霉素", "罗红霉素", "阿奇霉素", "克拉霉素", "乙酰螺旋霉素", "琥乙红霉素"),
    "喹诺酮": ("喹诺酮", "沙星"),
    "四环素": ("四环素", "多西环素", "米诺环素", "土霉素", "强力霉素"),
    "氨基糖苷": ("氨基糖苷", "庆大霉素", "链霉素", "阿米卡星", "妥布霉素", "卡那霉素", "新霉素"),
    "解热镇痛": (
        "解热镇痛", "非甾体", "阿司匹林", "乙酰水杨酸", "水杨酸", "布洛芬", "双氯芬酸", "吲哚美辛", "安乃近",
        "萘普生", "美洛昔康", "塞来昔布", "洛索洛芬", "酮洛芬", "尼美舒利",
    ),
    "吡唑酮": ("吡唑酮", "安乃近", "氨基比林", "去痛片", "索米痛"),
    "局麻药": ("普鲁卡因", "丁卡因", "苯佐卡因"),
    "碘": ("碘", "聚维酮碘", "碘伏", "碘酊", "胺碘酮"),
    "普利类": ("普利",),
    "他汀类": ("他汀",),
}  # fmt: skip
# What follows or precedes the substance when people write an allergy down.
DECORATION = re.compile(r"(类|药物|药|过敏|制剂|钠|钾|片|胶囊|注射液|颗粒|等|皮试阳性|史)+$")
NO_ALLERGY = re.compile(r"^(无|否认|暂无|未发现|不详|没有)")


def allergies_of(resident) -> list[str]:
    """Substances on record and not refuted, of the whole file."""
    rows = Allergy.objects.filter(resident__in=resident.survivor.record_ids(), refuted_on=None)
    return list(dict.fromkeys(rows.values_list("substance", flat=True)))


def plain(text: str) -> str:
    return re.sub(r"[\s()（）\[\]【】,，、。;；]", "", unicodedata.normalize("NFKC", text)).lower()


def matches(drug: str, substance: str) -> bool:
    """Whether the drug holds the substance, or belongs to its class. Both as people write them."""
    drug, core = plain(drug), core_of(substance)
    if not drug or not core:
        return False
    if len(core) > 1 and (core in drug or (len(drug) > 1 and drug in core)):
        return True
    return _holds(drug, family_of(core))


def core_of(substance: str) -> str:
    """ "青霉素" of "青霉素类药物过敏"; nothing of "否认药物过敏"."""
    text = plain(substance)
    if NO_ALLERGY.match(text):
        return ""
    return DECORATION.sub("", text) or text


def family_of(core: str) -> list[str]:
    """What the names of drugs related to the substance hold."""
    return [member for members in CLASSES.values() if _holds(core, members) for member in members]


def watch(allergies) -> list[dict]:
    """The same rule for the page's script: {substance, core, members} of each allergy."""
    found = [{"substance": text, "core": core_of(text)} for text in allergies]
    return [{**entry, "members": family_of(entry["core"])} for entry in found if entry["core"]]


def _holds(text, parts):
    return any(part in text for part in parts)


def allergy_hints(lines, allergies) -> list[dict]:
    """A warning for each line that meets a known allergy; a doctor may have a reason, so never a block."""
    return [
        {
            "field": "medications",
            "line": position,
            "sentence": _("Allergy on record: %(substance)s. Please check %(drug)s.")
            % {"substance": substance, "drug": line["drug"].strip()},
        }
        for position, line in enumerate(lines)
        for substance in allergies
        if matches(line.get("drug", ""), substance)
    ]


def is_filled(line) -> bool:
    """Whether anything was written into the line; the page keeps an empty one at the end."""
    return any(isinstance(value, str) and value.strip() for value in line.values())


def filled(lines) -> list[dict]:
    return [line for line in lines if is_filled(line)]


def readable(lines) -> list[dict]:
    """Written lines for people: route and frequency in words, "7 days"; what is no number as typed."""
    return [
        {
            "drug": line.get("drug", ""),
            "dose": line.get("dose", ""),
            "route": dict(Route.choices).get(line.get("route"), ""),
            "frequency": dict(Frequency.choices).get(line.get("frequency"), ""),
            "days": _days_text(line),
            "reason": line.get("reason", ""),
        }
        for line in filled(lines)
    ]


def _days_text(line):
    days = days_of(line)
    return line.get("days", "") if days is None else ngettext("%(n)d day", "%(n)d days", days) % {"n": days}


def days_of(line) -> int | None:
    """Whole days, or None where it is no number; full-width digits are digits, "7天" is seven."""
    found = re.fullmatch(r"([0-9]{1,3})\s*(天|日|d)?", plain(line.get("days", "")), re.ASCII)
    return int(found[1]) if found else None


def line_faults(line) -> list[str]:
    """What a written line lacks before it may be signed."""
    faults = []
    if not line.get("drug", "").strip():
        faults.append(_("The drug is missing."))
    if not line.get("dose", "").strip():
        faults.append(_("The dose is missing."))
    if not line.get("route"):
        faults.append(_("The route is missing."))
    if not line.get("frequency"):
        faults.append(_("How often it is taken is missing."))
    if fault := _days_fault(line):
        faults.append(fault)
    return faults


def _days_fault(line):
    days, most = days_of(line), settings.LONG_PRESCRIPTION_DAYS
    if days is None or days < 1:
        return _("The number of days is missing.")
    if days > most:
        return _("At most %(days)d days, long-term prescriptions included.") % {"days": most}
    ordinary = settings.ORDINARY_PRESCRIPTION_DAYS
    if days > ordinary and not line.get("reason", "").strip():
        return _("More than %(days)d days want a reason.") % {"days": ordinary}
    return None
