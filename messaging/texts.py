"""The words of a message: what they may hold, and how they are filled in (rules B6.4)."""

import re

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.codes import Sex
from clinic.errors import Refused
from clinic.text import is_storable
from messaging.codes import Purpose

LONGEST = 500
# What a text may name, as ``{name}``.
VARIABLES = {
    "name": gettext_lazy("full name"),
    "salutation": gettext_lazy("surname with Mr or Ms"),
    "age": gettext_lazy("age"),
    "institution": gettext_lazy("institution"),
    "phone": gettext_lazy("the institution's phone"),
}
HOLE = re.compile(r"\{([^{}]*)\}")
FORBIDDEN = "【】¥★"
# Words that tell whoever sees the handset what its owner has (PIPL art. 28).
DIAGNOSES = re.compile(
    "糖尿病|高血压|肿瘤|癌|艾滋|HIV|梅毒|结核|乙肝|肝炎|精神|抑郁|癫痫|流产|冠心病|脑卒中|慢阻肺"
)


def check(body: str, purpose: str) -> list[str]:
    """Warnings; raises Refused (code "text") for what cannot be sent at all."""
    problems = list(_problems(body))
    if problems:
        raise Refused(problems[0], code="text", field="body")
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


def _problems(body):
    if not body.strip():
        yield _("Please write a text.")
    if len(body) > LONGEST:
        yield _("The text is longer than 500 characters.")
    if not is_storable(body):
        yield _("The text holds a character that cannot be stored (NUL or half a character).")
    if found := sorted(set(body) & set(FORBIDDEN)):
        yield _("These characters may not stand in the text: %(signs)s") % {"signs": " ".join(found)}
    unknown = sorted(set(HOLE.findall(body)) - set(VARIABLES))
    if unknown or set(HOLE.sub("", body)) & set("{}"):
        yield _("There is no such variable: %(names)s") % {"names": " ".join(unknown) or "{ }"}


def render(body: str, signature: str, values: dict) -> str:
    """What the handset shows. Raises KeyError with the name of a variable that has no value."""

    def fill(hole):
        value = str(values.get(hole[1]) or "").translate(PLAIN)
        if not value:
            raise KeyError(hole[1])
        return value

    return f"【{signature}】{HOLE.sub(fill, body)}"


PLAIN = dict.fromkeys(map(ord, FORBIDDEN))


TITLES = {Sex.MALE: "先生", Sex.FEMALE: "女士"}
# Where each variable comes from: (a resident or what holds the same columns, the institution, today).
SOURCES = {
    "name": lambda person, _place, _today: person.name,
    "salutation": lambda person, _place, _today: _salutation(person),
    "age": lambda person, _place, today: str(_age(person.birth_date, today)),
    "institution": lambda _person, place, _today: place.short_name,
    "phone": lambda _person, place, _today: place.phone,
}


def values_of(person, institution, today=None) -> dict[str, str]:
    """The value of each variable for one resident, written to in the institution's name."""
    today = today or timezone.localdate()
    return {name: source(person, institution, today) for name, source in SOURCES.items()}


def _salutation(person):
    title = TITLES.get(person.sex, "")
    return f"{person.name[:1]}{title}" if title else person.name


def _age(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


# An invented person, for looking at a template.
EXAMPLE = {
    "name": "张秀英",
    "salutation": "张女士",
    "age": "78",
    "institution": "梧桐里站",
    "phone": "010-65120000",
}
