"""The words of a message: what they may hold, and how they are filled in (rules B6.4)."""

import re
from collections.abc import Iterable
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.codes import Sex
from clinic.errors import Refused
from clinic.text import is_storable
from messaging.codes import Purpose

LONGEST = 500
# Of one filled-in value: a name of a resident is 60 at most.
LONGEST_VALUE = 100
# What a text may name, as ``{name}``, whoever it goes to.
VARIABLES = {
    "name": gettext_lazy("full name"),
    "salutation": gettext_lazy("surname with Mr or Ms"),
    "age": gettext_lazy("age"),
    "institution": gettext_lazy("institution"),
    "phone": gettext_lazy("the institution's phone"),
    "date": gettext_lazy("today's date"),
}
# What other apps fill in, where they send or offer the audience: {name: label}. A template may name them; a campaign
# only those of its audience.
offered: dict[str, str] = {}
HOLE = re.compile(r"\{([^{}]*)\}")
FORBIDDEN = "【】¥￥★☆"
# Pictures: outside the basic plane (rare ideographs of names are there too, and are none), dingbats, joiners.
PICTURES = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0f\u200d\u20e3]")
CONTROL = re.compile(r"[\x01-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
# What a value loses before it is filled in.
UNWANTED = re.compile(
    f"[{FORBIDDEN}\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\ud800-\\udfff]"
)
# Words that tell whoever sees the handset what its owner has (PIPL art. 28).
DIAGNOSES = re.compile(
    "糖尿病|高血压|降压药|降糖药|胰岛素|二甲双胍|肿瘤|癌|化疗|艾滋|HIV|梅毒|性病|结核|乙肝|丙肝|肝炎|精神|抑郁|焦虑症|癫痫|流产|"
    "冠心病|脑卒中|中风|慢阻肺|痴呆|氯氮平|奥氮平",
    re.IGNORECASE,
)
COMPOUND = re.compile(
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|夏侯|司徒|长孙|宇文|端木|轩辕|南宫|独孤|呼延|闻人|澹台|申屠|太史|百里|东郭|"
    "西门|司空|万俟|钟离|拓跋"
)
# Younger people's telephones are their parents'.
CHILD = 14


def offer(**variables: str):
    """Other apps name what they fill in: name=label."""
    offered.update(variables)


def check(body: str, purpose: str, given: Iterable[str] | None = None) -> list[str]:
    """Warnings; raises Refused (code "text") for what cannot be sent at all. ``given``: variables beside VARIABLES that
    will have a value; None, as for a template, all that any app offers."""
    problem = next(_problems(body, offered if given is None else given), None)
    if problem:
        raise Refused(problem, code="text", field="body")
    warnings = []
    if found := sorted(set(DIAGNOSES.findall(body))):
        words = "、".join(found)
        warnings.append(
            _("The text names %(words)s. Whoever sees the handset learns what its owner has.")
            % {"words": words}
        )
    if purpose == Purpose.EDUCATION and "退订" not in body and "拒收" not in body:
        warnings.append(_("Please say how to get no more of these: “拒收请回复R”."))
    return warnings


def _problems(body, given):
    if not isinstance(body, str) or not body.strip():
        yield _("Please write a text.")
        return
    if len(body) > LONGEST:  # before anything that would read all of it
        yield _("The text is longer than 500 characters.")
    if not is_storable(body):
        yield _("The text holds a character that cannot be stored (NUL or half a character).")
    if found := sorted(set(body) & set(FORBIDDEN)) + sorted(set(PICTURES.findall(body))):
        yield _("These characters may not stand in the text: %(signs)s") % {"signs": " ".join(found)}
    if CONTROL.search(body):
        yield _("The text holds a character that nobody sees.")
    unknown = sorted(names_in(body) - set(VARIABLES) - set(given))
    if unknown or set(HOLE.sub("", body)) & set("{}"):
        yield _("There is no such variable: %(names)s") % {"names": " ".join(unknown) or "{ }"}


def names_in(body: str) -> set[str]:
    """The variables that a text names."""
    return set(HOLE.findall(body))


def render(body: str, signature: str, values: dict) -> str:
    """What the handset shows. Raises KeyError with the name of a variable that has no value."""
    pieces = _pieces(body)
    said = [pieces[0]]
    for name, following in zip(pieces[1::2], pieces[2::2], strict=True):
        if not (value := _plain(values.get(name))):
            raise KeyError(name)
        said += (value, following)
    return f"【{signature}】{''.join(said)}"


@lru_cache(maxsize=64)
def _pieces(body):
    """Text, name, text, name … text. A form ends its lines with two characters; a handset wants one."""
    return HOLE.split(body.replace("\r\n", "\n").replace("\r", "\n"))


def _plain(value):
    """A value as it may stand in a text: what a text may not hold, a name does not bring in either."""
    if value is None or value == "":
        return ""
    return UNWANTED.sub("", str(value)[:LONGEST_VALUE]).strip()


# Where each variable comes from: (a resident or what holds the same columns, the institution, today).
SOURCES = {
    "name": lambda person, _place, _today: person.name,
    "salutation": lambda person, _place, today: salutation(
        person.name, person.sex, _age(person.birth_date, today)
    ),
    "age": lambda person, _place, today: str(_age(person.birth_date, today)),
    "institution": lambda _person, place, _today: place.short_name,
    "phone": lambda _person, place, _today: place.phone,
    "date": lambda _person, _place, today: f"{today.month}月{today.day}日",
}


def values_of(person, institution, today=None) -> dict[str, str]:
    """The value of each variable for one resident, written to in the institution's name."""
    today = today or timezone.localdate()
    return {name: source(person, institution, today) for name, source in SOURCES.items()}


def _age(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def salutation(name: str, sex: str, age: int) -> str:
    """As the desk would call out: 张女士, 欧阳先生; the whole name where it is no Han name or the sex is not known. A
    child's telephone is its parents'."""
    if age < CHILD:
        return f"{name}家长"
    title = {Sex.MALE: "先生", Sex.FEMALE: "女士"}.get(sex)
    if title is None or not 2 <= len(name) <= 4 or not all("\u4e00" <= sign <= "\u9fff" for sign in name):
        return name
    return f"{name[:2] if len(name) > 2 and COMPOUND.match(name) else name[:1]}{title}"


# An invented person, for looking at a template.
EXAMPLE = {
    "name": "张秀英", "salutation": "张女士", "age": "78", "institution": "梧桐里站", "phone": "010-65120000",
    "date": "11月23日",
}  # fmt: skip


def example(institution) -> dict[str, str]:
    """Its values, written to in the institution's name; what other apps fill in stands there as its label."""
    others = {name: str(label) for name, label in offered.items()}
    return {**others, **EXAMPLE, "institution": institution.short_name}
