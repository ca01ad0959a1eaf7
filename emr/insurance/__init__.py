"""City insurance 医保: what an interface to it must do. There is none today, so a person types; the day one exists
it is one file like emr/insurance/sandbox.py and a line in INTERFACES (docs/insurance.md).

What travels on the wire stays in that one file. Callers know a Claim, an Outcome and four faults.
"""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from enum import Enum

from django.utils import timezone
from django.utils.module_loading import import_string

from clinic.codes import IdType, Insurance
from clinic.text import is_storable
from emr import practice
from emr.codes import FilingFault, InsuranceWay, OldOrYoung

# The way an institution chose → the class that goes it.
INTERFACES = {
    InsuranceWay.BY_HAND: "emr.insurance.ByHand",
    InsuranceWay.SANDBOX: "emr.insurance.sandbox.Sandbox",
}
NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z/_-]{3,39}")
SENTENCE_LIMIT = 200


@dataclass(frozen=True, repr=False)
class Claim:
    """What the insurance is told of one referral. ``key`` is ours: the same key is the same claim, however
    often it is sent. Texts may be empty; codes are the national ones where there are such."""

    key: str
    referral_number: str
    name: str
    sex: str
    birth_date: str
    id_type: str
    id_number: str
    insurance: str
    insurance_number: str
    group: str
    from_code: str
    from_name: str
    to_code: str
    to_name: str
    to_department: str
    diagnoses: tuple[tuple[str, str], ...]  # (code, name)
    impression: str
    on: date
    doctor: str

    def __repr__(self):
        """No patient in a log or a stack trace."""
        return f"Claim({self.key})"

    @classmethod
    def of(cls, referral):
        """``referral`` with resident, institutions and the visit's note at hand, else a query for each."""
        person, resident = referral.person or {}, referral.resident
        sender, receiver = referral.from_institution, referral.to_institution
        return cls(
            key=str(referral.uuid),
            referral_number=referral.number,
            name=person.get("name") or resident.name,
            sex=str(person.get("sex") or resident.sex),
            birth_date=str(person.get("birth_date") or resident.birth_date),
            id_type=resident.id_type,
            id_number=resident.id_number or "",
            insurance=resident.insurance,
            insurance_number=resident.insurance_number,
            group=referral.group,
            from_code=sender.code,
            from_name=sender.name,
            to_code=receiver.code if receiver else "",
            to_name=referral.to_name,
            to_department=referral.to_department,
            diagnoses=_diagnoses(referral.encounter),
            impression=referral.impression,
            on=timezone.localdate(referral.sent_at),
            doctor=referral.doctor_name,
        )

    @property
    def id_type_text(self):
        return IdType(self.id_type).label if self.id_type in IdType.values else self.id_type

    @property
    def insurance_text(self):
        return Insurance(self.insurance).label if self.insurance in Insurance.values else self.insurance

    @property
    def group_text(self):
        return OldOrYoung(self.group).label if self.group in OldOrYoung.values else self.group


def _diagnoses(encounter):
    note = getattr(encounter, "note", None) if encounter else None
    lines = note.diagnoses if note and isinstance(note.diagnoses, list) else []
    named = [line for line in lines if isinstance(line, dict) and line.get("name")]
    return tuple((str(line.get("code") or ""), str(line["name"])) for line in named)


class Standing(Enum):
    """How a claim stands at the insurance."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    LEFT = "left"  # nobody was asked: a person does it


@dataclass(frozen=True)
class Outcome:
    """``number`` is the insurance's own, given whenever it knows the claim."""

    standing: Standing
    number: str = ""


class InsuranceFault(Exception):
    """It did not work. ``fault`` is what the filing keeps; the text of an exception says nothing of a patient."""

    fault: FilingFault
    # Whether anything went out; if not, nothing can have been booked.
    sent = True


class Unreachable(InsuranceFault):
    """No connection (``sent`` False: nobody was listening), or it broke off: then whether the claim was booked is
    not known."""

    fault = FilingFault.UNREACHABLE

    def __init__(self, text, sent=True):
        super().__init__(text)
        self.sent = sent


class TooSlow(InsuranceFault):
    """No whole answer within settings.INSURANCE_SECONDS. Whether the claim was booked is not known."""

    fault = FilingFault.TOO_SLOW


class Garbled(InsuranceFault):
    """An answer that is not one. Whether the claim was booked is not known."""

    fault = FilingFault.GARBLED


class Refused(InsuranceFault):
    """The insurance said no: nothing is booked. ``code`` is its own, ``sentence`` is shown to people."""

    fault = FilingFault.REFUSED

    def __init__(self, code, sentence):
        super().__init__("refused")
        self.code, self.sentence = clean(code), clean(sentence)


def clean(text):
    """A foreign sentence as we keep it: no control signs, no broken ones, at most 200 characters."""
    kept = "".join(sign for sign in str(text) if sign.isprintable() and is_storable(sign))
    return kept.strip()[:SENTENCE_LIMIT]


class Interface(ABC):
    """One way to city insurance. Each method returns an Outcome or raises an InsuranceFault, nothing else,
    within settings.INSURANCE_SECONDS; none touches the database."""

    way: InsuranceWay
    by_machine = True

    @abstractmethod
    def submit(self, claim: Claim) -> Outcome:
        """File it, once per ``claim.key`` however often it is called; BOOKED with the number. A claim that was
        cancelled there stays CANCELLED."""

    @abstractmethod
    def query(self, *, key="", number="") -> Outcome:
        """How the claim with our key, or with its number, stands: BOOKED, CANCELLED or UNKNOWN."""

    @abstractmethod
    def cancel(self, number, reason) -> Outcome:
        """Take it back; CANCELLED also when it was cancelled before, UNKNOWN when there is no such number."""


class ByHand(Interface):
    """Nobody is asked: the filing stays on the worklist until a person types the number back."""

    way = InsuranceWay.BY_HAND
    by_machine = False

    def submit(self, claim):
        return Outcome(Standing.LEFT)

    def query(self, *, key="", number=""):
        return Outcome(Standing.LEFT)

    def cancel(self, number, reason):
        return Outcome(Standing.LEFT)


def of_way(way) -> Interface:
    """The interface of that way; a way that this release does not know is by hand."""
    path = INTERFACES.get(way)
    return import_string(path)() if path else ByHand()


def for_institution(institution) -> Interface:
    """The one that the institution chose (emr.practice). One query."""
    return of_way(practice.of(institution).insurance)
