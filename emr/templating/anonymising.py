"""Taking a resident's personal data out of text that becomes a template.

Nothing of a template may lead back to the person whose note it came from. Known words of the person (name, numbers,
address, the contact's name) are found however they are written: full-width, spaced out, with invisible signs in
between. Besides them whatever looks like a number or a date of anybody goes. Where a word goes a gap 【…】 stays for
the doctor to fill, so that the sentence keeps its shape; the person's name becomes "the patient".
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

PATIENT = "患者"
NUMBER, DAY, ADDRESS, CONTACT, EMPLOYER = "【号码】", "【日期】", "【地址】", "【联系人】", "【单位】"
ALIKE = 5  # signs of an address or employer that stand in the text in one piece give it away
SHORT = 4  # digits of a known number that give it away at the least
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+")
CALLED = [
    "女士",
    "先生",
    "小姐",
    "阿姨",
    "大爷",
    "大妈",
    "大娘",
    "大姐",
    "大哥",
    "大叔",
    "大婶",
    "奶奶",
    "爷爷",
    "叔叔",
    "伯伯",
    "师傅",
    "老师",
    "同志",
    "某某",
    "某",
    "老太太",
    "老太",
    "老人",
    "老",
]
DOUBLE = {
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "尉迟",
    "公孙",
    "慕容",
    "令狐",
    "皇甫",
    "夏侯",
    "司徒",
    "长孙",
    "宇文",
}
# Whatever looks like a number of somebody, in what remains: identity and insurance numbers, phones, accounts.
NUMBERS = re.compile(r"\d(?:[-–—]?\d){6,}[xX]?|\d{3,4}[ -]\d{4}[ -]?\d{4}")
IDENTITY = re.compile(r"(?<!\d)[1-9]\d{5}(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d\d{3}[\dx](?!\d)")
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.ASCII)
DATES = re.compile(
    r"(?:19|20)\d\d\s*[-./年]\s*\d{1,2}\s*(?:[-./月]\s*\d{1,2}\s*[日号]?)|\d{1,2}\s*月\s*\d{1,2}\s*[日号]|[零〇一二三四五六七八九]{4}年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}[日号]"
)
HOUSES = re.compile(r"\d+\s*号楼|\d+\s*号院|\d+\s*栋|\d+\s*单元\s*\d*\s*[室号]?")


@dataclass(frozen=True)
class Secret:
    """A known word of the person and what takes its place. ``part``: any piece of it that is long enough."""

    word: str
    instead: str
    part: int = 0


def strip(content: dict, people, days) -> dict:
    """The draft fields without personal data of ``people`` (rows of Resident) and without these days."""
    secrets = [secret for person in people for secret in _secrets(person)]
    secrets.sort(key=lambda secret: -len(secret.word))
    return _over(content, lambda text: clean(text, secrets, days))


def holds_identity(content: dict) -> bool:
    """Whether somebody's identity number stands in a template written by hand."""
    found = []
    _over(content, lambda text: found.append(text) or text)
    return any(IDENTITY.search(_shadow(text)[0]) for text in found)


def _over(value, change):
    """The same shape with every text changed. Codes and choices of lines stay as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_over(part, change) for part in value]
    if isinstance(value, dict):
        fixed = {"system", "release", "code", "certainty", "route", "frequency"}
        return {name: part if name in fixed else _over(part, change) for name, part in value.items()}
    return value


def clean(text: str, secrets, days) -> str:
    shadow = _shadow(text)
    for secret in secrets:
        taken = _take_out(text, shadow, secret)
        if taken != text:
            text, shadow = taken, _shadow(taken)
    text = _replace(text, MAIL, NUMBER)
    text = _replace(text, DATES, DAY)
    for day in days:
        text = _replace(text, _day_form(day), DAY)
    text = _replace(text, HOUSES, ADDRESS)
    text = _replace(text, NUMBERS, NUMBER)
    text = re.sub(rf"(?:{PATIENT}){{2,}}", PATIENT, text)
    return re.sub(r"(【[^【】]*】)(?:\s*\1)+", r"\1", text)


def _secrets(person):
    for name in filter(None, (person.name, person.contact_name)):
        yield from _names(name, PATIENT if name == person.name else CONTACT)
    numbers = (
        person.id_number, person.record_number, person.phone, person.contact_phone, person.insurance_number, person.source_id,
    )  # fmt: skip
    for number in numbers:
        if number and len(number) >= SHORT:
            yield Secret(number, NUMBER)
            if len(number) > 8:  # the tail is how people name a card or a phone
                yield Secret(number[-6:], NUMBER)
    if person.address:
        yield Secret(person.address, ADDRESS, part=ALIKE)
    if person.employer:
        yield Secret(person.employer, EMPLOYER, part=ALIKE)


def _names(name, instead):
    """The whole name, the given name, and how people address its bearer: 张阿姨, 老张."""
    yield Secret(name, instead)
    yield from (Secret(word, instead) for word in re.split(r"[\s·•.,]+", name) if 1 < len(word) < len(name))
    plain = _shadow(name)[0]
    if not HAN.fullmatch(plain):
        return
    double = plain[:2] in DOUBLE
    family, given = (plain[:2], plain[2:]) if double else (plain[:1], plain[1:])
    if len(given) > 1:
        yield Secret(given, instead)
    yield from (Secret(family + word, instead) for word in CALLED)
    yield from (Secret(word + family, instead) for word in ("老", "小"))


def _shadow(text):
    """(the text as it is compared, the place of each of its signs in the original): narrow, lower case, without
    blanks, invisible signs and the dashes and dots that people put into numbers."""
    signs, places = [], []
    for place, sign in enumerate(text):
        plain = _plain(sign)
        signs.append(plain)
        places.extend([place] * len(plain))
    return "".join(signs), places


@lru_cache(maxsize=8192)
def _plain(sign):
    narrow = unicodedata.normalize("NFKC", sign).lower()
    return "".join(part for part in narrow if not _is_between(part))


def _is_between(sign):
    return sign.isspace() or sign in "-·.‧•_" or unicodedata.category(sign) in ("Cf", "Mn", "Pd")


def _take_out(text, shadowed, secret):
    shadow, places = shadowed
    word = _shadow(secret.word)[0]
    if not word:
        return text
    spans = _spans(shadow, word, secret.part)
    for start, end in reversed(spans):
        text = text[: places[start]] + secret.instead + text[places[end - 1] + 1 :]
    return text


def _spans(shadow, word, part):
    """Where the word stands, or pieces of it of ``part`` signs and more; in order, not overlapping."""
    if not part or len(word) <= part:
        return [found.span() for found in re.finditer(re.escape(word), shadow)]
    pieces = {word[at : at + part] for at in range(len(word) - part + 1)}
    spans = []
    for start in range(len(shadow) - part + 1):
        if shadow[start : start + part] in pieces:
            if spans and start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], start + part)
            else:
                spans.append((start, start + part))
    return spans


def _replace(text, form, instead):
    """Like re.sub, over the text with narrow digits; the rest keeps its signs."""
    narrow = "".join(map(_narrow, text))
    for found in reversed(list(form.finditer(narrow))):
        text = text[: found.start()] + instead + text[found.end() :]
    return text


@lru_cache(maxsize=8192)
def _narrow(sign):
    narrow = unicodedata.normalize("NFKC", sign)
    return narrow if len(narrow) == 1 else sign


def _day_form(day):
    """A day without its year, as notes have it: 11-22, 11/22, 11.22, 11月22日, 22日."""
    month, number = f"0?{day.month}", f"0?{day.day}"
    return re.compile(
        rf"(?<![\d.]){month}\s*[-./月]\s*{number}(?:\s*[日号])?(?![\d.]*\d)|(?<!\d){number}\s*[日号]"
    )
