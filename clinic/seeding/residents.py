"""The demo district's residents: a few told by hand, the others drawn from a fixed seed."""

import random
from datetime import date, timedelta

from django.utils import timezone

from clinic import record_numbers
from clinic.codes import (
    BloodType,
    HouseholdRelation,
    IdType,
    Insurance,
    KeyPopulation,
    Marital,
    Occupation,
    RhType,
    Sex,
    TagSource,
)
from clinic.models import Allergy, Household, KeyTag, Problem, Resident
from clinic.seeding import names

SEED = 20261122
DRAWN = 26
# name, sex, born, tags, allergies, problems (code, name): rare signs, one sound for two names, old and young.
TOLD = (
    ("张秀英", Sex.FEMALE, date(1948, 3, 7), ["hypertension", "diabetes"], [("青霉素", "皮疹")],
     [("I10.x00", "高血压"), ("E11.900", "2型糖尿病")]),
    ("王晓明", Sex.MALE, date(1975, 6, 1), ["hypertension"], [], [("I10.x00", "高血压")]),
    ("王小明", Sex.MALE, date(1975, 6, 1), [], [("头孢克肟", "荨麻疹")], []),
    ("𠮷祥", Sex.MALE, date(1962, 11, 20), ["copd"], [], [("J44.900", "慢性阻塞性肺疾病")]),
    ("王㼆", Sex.FEMALE, date(1990, 2, 28), ["pregnant"], [], []),
    ("欧阳建国", Sex.MALE, date(1955, 10, 1), ["veteran"], [("磺胺类", "过敏性休克")], []),
    ("阿卜杜热合曼·麦麦提", Sex.MALE, date(1983, 5, 17), [], [], []),
    ("李梓涵", Sex.FEMALE, date(2021, 9, 9), [], [("鸡蛋", "湿疹加重")], []),
    ("刘桂兰", Sex.FEMALE, date(1939, 1, 31), ["hypertension", "disabled"], [("阿司匹林", "胃出血"), ("碘造影剂", "")],
     [("I10.x00", "高血压"), ("I25.101", "冠状动脉粥样硬化性心脏病")]),
    ("陈建军", Sex.MALE, date(1958, 12, 25), ["tumour"], [], []),
)  # fmt: skip
STREETS = ("梧桐里", "槐荫胡同", "小桥街", "银杏巷", "青禾路", "柳堤路")


class Register:
    """Gives the numbers that the registration pages would give."""

    def __init__(self):
        self.rng = random.Random(SEED)
        self.taken = set(Resident.objects.exclude(id_number="").values_list("id_number", flat=True))

    def resident(self, community, name, sex, born, **fields):
        fields.setdefault("id_number", names.id_number(self.rng, born, sex, self.taken))
        adult = born < timezone.localdate() - timedelta(days=365 * 18)
        return Resident.objects.create(
            name=name, sex=sex, birth_date=born, community=community, home=community.institution,
            record_number=record_numbers.take_next(community),
            phone=names.phone(self.rng), marital=Marital.MARRIED if adult else Marital.SINGLE,
            occupation=self.rng.choice(Occupation.values[:6]) if adult else Occupation.STUDENT,
            employer=self.rng.choice(names.EMPLOYERS) if adult else "",
            address=f"{self.rng.choice(STREETS)}{self.rng.randrange(1, 90)}号", blood_type=self.rng.choice(BloodType.values[:4]),
            rh_type=RhType.POSITIVE, insurance=insurance(born, self.rng), **fields,
        )  # fmt: skip


def insurance(born, rng):
    age = (timezone.localdate() - born).days // 365
    if age < 18:
        return Insurance.RESIDENT_CHILD
    return rng.choice([Insurance.EMPLOYEE, Insurance.EMPLOYEE, Insurance.RESIDENT_SENIOR if age > 64 else Insurance.RESIDENT])  # fmt: skip


def make(communities):
    """About forty residents with households, tags, allergies and problems; returns them, told ones first."""
    register = Register()
    here = communities[:3]
    made = [told(register, here[number % 3], *facts) for number, facts in enumerate(TOLD)]
    made += papers(register, here[0])
    for number in range(DRAWN):
        sex = register.rng.choice([Sex.MALE, Sex.FEMALE])
        born = names.birth_date(register.rng, date(2026, 6, 1))
        community = communities[number % len(communities)]
        made.append(register.resident(community, names.full_name(register.rng, sex), sex, born))
    households(made)
    return made


def told(register, community, name, sex, born, tags, allergies, problems):
    row = register.resident(community, name, sex, born)
    for tag in tags:
        KeyTag.objects.create(
            resident=row, tag=KeyPopulation(tag), source=TagSource.SURVEY, since=date(2024, 4, 1)
        )
    for substance, reaction in allergies:
        Allergy.objects.create(resident=row, substance=substance, reaction=reaction, since=date(2015, 1, 1))
    for code, problem in problems:
        Problem.objects.create(resident=row, system="icd10", code=code, name=problem, since=date(2018, 5, 1))
    return row


def papers(register, community):
    """Those whose paper is not an identity card."""
    return [
        register.resident(
            community, "SMITH JOHN", Sex.MALE, date(1988, 7, 4), id_type=IdType.PASSPORT,
            id_number="X12345678", nationality="加拿大",
        ),
        register.resident(
            community, "王㼆之子", Sex.MALE, timezone.localdate() - timedelta(days=12),
            id_type=IdType.NEWBORN, id_number="",
        ),
    ]  # fmt: skip


def households(made):
    """Every four residents of one home live together, the eldest as head."""
    by_community = {}
    for row in made:
        by_community.setdefault(row.community_id, []).append(row)
    for members in by_community.values():
        for start in range(0, len(members), 4):
            family = sorted(members[start : start + 4], key=lambda row: row.birth_date)
            roof = Household.objects.create(
                community=family[0].community, home=family[0].home, address=family[0].address
            )
            for number, row in enumerate(family):
                row.household = roof
                row.household_relation = HouseholdRelation.OTHER if number else HouseholdRelation.HEAD
                row.save(update_fields=["household", "household_relation"])
