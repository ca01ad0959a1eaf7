"""Notifiable infectious diseases 法定传染病: 传染病防治法 (revised 2025) art. 3, classes 甲, 乙 and 丙, and how soon each is
reported (传染病信息报告管理规范: two hours for class 甲 and what is managed as such, a day for the others).

Found by the code's beginning; by words where a diagnosis has no code. Common knowledge of the field, not checked
against the official text: what is found is proposed to the doctor, who decides.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from emr.codes import System

SOON, LATER = timedelta(hours=2), timedelta(hours=24)
# What these diseases leave behind is reported once; whoever comes again with it is not a new case.
EPISODE = timedelta(days=30)


@dataclass(frozen=True)
class Disease:
    """``codes``: beginnings of ICD-10 codes; ``words``: a pattern for diagnoses without a code; ``managed_as_a``:
    reported as class 甲; ``lasting``: once reported, a resident is not reported again."""

    name: str
    grade: str
    codes: tuple[str, ...]
    words: str
    managed_as_a: bool = False
    lasting: bool = False

    @property
    def term(self) -> timedelta:
        return SOON if self.grade == "甲" or self.managed_as_a else LATER


def _lasting(name, grade, codes, words):
    return Disease(name, grade, codes, words, lasting=True)


# The narrower ones first: the first that fits is the disease.
DISEASES = (
    Disease("鼠疫", "甲", ("A20",), "鼠疫"),
    Disease("霍乱", "甲", ("A00",), "霍乱"),
    Disease("肺炭疽", "乙", ("A22.1",), "肺炭疽", managed_as_a=True),
    Disease("传染性非典型肺炎", "乙", ("U04",), "传染性非典|SARS", managed_as_a=True),
    Disease("新型冠状病毒感染", "乙", ("U07.1", "U07.2"), "新型冠状病毒|新冠|COVID"),
    _lasting("艾滋病", "乙", ("B20", "B21", "B22", "B23", "B24", "Z21"), "艾滋病|HIV感染|人类免疫缺陷病毒"),
    _lasting("病毒性肝炎", "乙", ("B15", "B16", "B17", "B18", "B19"), "病毒性肝炎|[甲乙丙丁戊]型肝炎|[甲乙丙丁戊]肝"),
    Disease("脊髓灰质炎", "乙", ("A80",), "脊髓灰质炎"),
    Disease("人感染新亚型流感", "乙", ("J09",), "禽流感|新亚型流感|H[57]N[0-9]"),
    Disease("麻疹", "乙", ("B05",), "(?<!荨)(?<!德国)麻疹"),
    Disease("流行性出血热", "乙", ("A98.5",), "流行性出血热|肾综合征出血热"),
    Disease("狂犬病", "乙", ("A82",), "狂犬病"),
    Disease("流行性乙型脑炎", "乙", ("A83.0",), "乙型脑炎|乙脑"),
    Disease("登革热", "乙", ("A90", "A91", "A97"), "登革"),
    Disease("猴痘", "乙", ("B04",), "猴痘"),
    Disease("炭疽", "乙", ("A22",), "炭疽"),
    Disease("细菌性和阿米巴性痢疾", "乙", ("A03", "A06"), "痢疾"),
    _lasting("肺结核", "乙", ("A15", "A16", "A19"), "肺结核|结核性胸膜炎|粟粒性结核"),
    Disease("流行性和地方性斑疹伤寒", "丙", ("A75",), "斑疹伤寒"),
    Disease("伤寒和副伤寒", "乙", ("A01",), "伤寒"),
    Disease("流行性脑脊髓膜炎", "乙", ("A39",), "流行性脑脊髓膜炎|流脑"),
    Disease("百日咳", "乙", ("A37",), "百日咳"),
    Disease("白喉", "乙", ("A36",), "白喉"),
    Disease("新生儿破伤风", "乙", ("A33",), "新生儿破伤风"),
    Disease("猩红热", "乙", ("A38",), "猩红热"),
    _lasting("布鲁氏菌病", "乙", ("A23",), "布鲁|布氏(杆)?菌"),
    Disease("淋病", "乙", ("A54",), "淋病|淋球菌"),
    _lasting("梅毒", "乙", ("A50", "A51", "A52", "A53"), "梅毒"),
    Disease("钩端螺旋体病", "乙", ("A27",), "钩端螺旋体"),
    _lasting("血吸虫病", "乙", ("B65",), "血吸虫"),
    Disease("疟疾", "乙", ("B50", "B51", "B52", "B53", "B54"), "疟疾"),
    Disease("流行性感冒", "丙", ("J10", "J11"), "流行性感冒|流感(?!嗜血)"),
    Disease("流行性腮腺炎", "丙", ("B26",), "流行性腮腺炎|流腮"),
    Disease("风疹", "丙", ("B06",), "德国麻疹|(?<!抗)风疹(?![块团])"),
    Disease("急性出血性结膜炎", "丙", ("B30.3",), "出血性结膜炎"),
    _lasting("麻风病", "丙", ("A30",), "麻风(?!疹)"),
    Disease("黑热病", "丙", ("B55",), "黑热病"),
    _lasting("包虫病", "丙", ("B67",), "包虫|棘球蚴"),
    _lasting("丝虫病", "丙", ("B74",), "丝虫"),
    Disease("手足口病", "丙", ("B08.4",), "手足口"),
    Disease("其他感染性腹泻病", "丙", ("A02", "A04", "A07", "A08", "A09"), "(?<!非)感染性腹泻|轮状病毒|诺如病毒"),
)  # fmt: skip
BY_NAME = {disease.name: disease for disease in DISEASES}
# A vaccination, a carrier, what is past or ruled out: no case.
NO_CASE = re.compile(
    r"疫苗|接种|史$|病史|后遗症|携带|排除|陈旧|接触|暴露|抗体|预防|筛查|咨询|恐惧|既往|恢复期|术后|治愈"
)
TCM = frozenset({System.TCM_DISEASE, System.TCM_SYNDROME})


def find(line) -> Disease | None:
    """The disease that a diagnosis line names. TCM terms of the same name are other diseases (霍乱, 伤寒)."""
    if not isinstance(line, dict) or line.get("system") in TCM:
        return None
    code, name = str(line.get("code") or "").upper().strip(), str(line.get("name") or "")
    if code:
        return next((disease for disease in DISEASES if code.startswith(disease.codes)), None)
    if NO_CASE.search(name):
        return None
    return next((disease for disease in DISEASES if re.search(disease.words, name, re.IGNORECASE)), None)


def is_new_case(disease, reported, now) -> bool:
    """Whether the resident was not reported with it: ``reported`` is [(name of disease, when)]."""
    times = [at for name, at in reported if name == disease.name]
    return not times or (not disease.lasting and now - max(times) > EPISODE)
