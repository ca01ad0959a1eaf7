"""Any number of agreements with their plans and proofs by COPY, for measuring: a whole district's, years of them."""

import json
import random
from collections import defaultdict
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.models.functions import Length
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.codes import LifeState, Role
from clinic.errors import Refused
from clinic.models import Community, Institution, Resident, User
from clinic.seeding import copying
from clinic.seeding.bulk import random_uuid
from contracts.codes import ALIVE, ONCE_IN_FORCE, AgreementState, PackageKind, Period, ServiceKind, TeamRole
from contracts.models import (
    Agreement,
    AgreementCounter,
    Package,
    PackageItem,
    PackageVersion,
    Team,
    TeamMember,
)
from contracts.seeding.lives import lives

TABLES = (
    "contracts_agreement", "contracts_agreementpackage", "contracts_planitem", "contracts_evidence",
)  # fmt: skip
FROZEN = TABLES
AGREEMENT = (
    "id", "uuid", "number", "state", "institution_id", "team_id", "doctor_id", "resident_id", "phone", "address",
    "representative", "representative_relation", "representative_phone", "groups", "start", "end", "years", "fee", "waived",
    "way", "source", "follows_id", "foreign_number", "note", "made_at", "signed_at", "last_served_on", "ended_on", "ended_at",
    "end_reason", "end_note", "refusal_note",
)  # fmt: skip
PACKAGE = ("uuid", "agreement_id", "version_id", "price", "waiver")
PLAN = (
    "id",
    "uuid",
    "agreement_id",
    "team_id",
    "item_id",
    "due_from",
    "due_to",
    "times",
    "done",
    "closed_on",
)
EVIDENCE = (
    "uuid", "plan_id", "team_id", "kind", "state", "on", "note", "done_by_id", "made_at", "decided_by_id", "decided_at",
)  # fmt: skip
CHUNK = 5_000
PER_TEAM = 1_800
# Name, kind of service, times a year: four planned services an agreement.
SERVICES = (
    ("健康档案更新", ServiceKind.MANAGEMENT, 1),
    ("健康体检", ServiceKind.PUBLIC_HEALTH, 1),
    ("健康教育与咨询", ServiceKind.EDUCATION, 2),
    ("随访", ServiceKind.PUBLIC_HEALTH, 4),
)


def make(count, seed):
    """Add ``count`` agreements of residents who have none. Inside the caller's transaction, as the owner."""
    taken = Agreement.objects.filter(state__in=(*ALIVE, *ONCE_IN_FORCE)).values("resident")
    people = Resident.objects.current().filter(life_state=LifeState.LIVING).exclude(pk__in=taken)
    people = list(people.order_by("pk").values_list("pk", "home", "birth_date"))
    rng = random.Random(f"agreements {seed} {Agreement.objects.count()}")
    rng.shuffle(people)
    writer = Writer(rng, count, people, _teams(people, count), _version())
    with copying.triggers_off(*FROZEN), connection.cursor() as cursor:
        for agreements, packages, plans, evidence in copying.ahead(writer.chunks()):
            copying.copy(cursor, "contracts_agreement", AGREEMENT, agreements)
            copying.copy(cursor, "contracts_agreementpackage", PACKAGE, packages)
            copying.copy(cursor, "contracts_planitem", PLAN, plans)
            copying.copy(cursor, "contracts_evidence", EVIDENCE, evidence)
    _keep_serials(writer.serials)


def _version():
    """Our own package of four services, published; made once."""
    root = Institution.objects.annotate(depth=Length("path")).order_by("depth").first()
    package, new = Package.objects.get_or_create(
        institution=root, code="BASE", defaults={"name": "全区基础包", "kind": PackageKind.BASIC}
    )
    if not new:
        return package.versions.get(number=1)
    version = PackageVersion.objects.create(
        package=package, number=1, valid_from=date(2020, 1, 1), price=120, waiver=120
    )
    PackageItem.objects.bulk_create(
        PackageItem(version=version, order=order, name=name, service=service, times=times, period=Period.YEAR)
        for order, (name, service, times) in enumerate(SERVICES)
    )
    version.published_at = timezone.now()
    version.save()
    return version


def _teams(people, count):
    """{home: [(team, doctor, institution code)]}, a team for each 1 800 agreements that fall to a station."""
    at = defaultdict(int)
    for _pk, home, _born in people:
        at[home] += 1
    made = {}
    for home in Institution.objects.filter(pk__in=[pk for pk in at if pk]).order_by("path"):
        share = at[home.pk] * count // max(len(people), 1)
        made[home.pk] = [_team(home, number) for number in range(share // PER_TEAM + 1)]
    if not made:
        raise Refused(_("There is no resident with a station to make agreements for."))
    return made


def _team(home, number):
    """With a leader and a nurse of its own, as whom nobody can sign in."""
    name = f"家庭医生{number + 1}队"
    team = Team.objects.filter(institution=home, name=name).first()
    if team is None:
        team = Team.objects.create(institution=home, name=name, phone=home.phone)
        team.areas.set(Community.objects.filter(institution=home))
        for role, part, title in (
            (Role.DOCTOR, TeamRole.LEADER, "主治医师"),
            (Role.NURSE, TeamRole.NURSE, "护师"),
        ):
            person = User.objects.create(
                username=f"{part.value}{number + 1}-{home.code.lower()}", role=role, institution=home, title=title,
                name=f"{home.short_name[:3]}{number + 1}{'医' if role == Role.DOCTOR else '护'}",
                password=make_password(None), password_changed_at=timezone.now(), must_change_password=False,
            )  # fmt: skip
            TeamMember.objects.create(team=team, person=person, role=part, since=date(2020, 1, 1))
    return team.pk, team.members.get(role=TeamRole.LEADER).person_id, home.code


class Writer:
    """Writes the lines of person after person."""

    def __init__(self, rng, count, people, teams, version):
        self.rng, self.count, self.people, self.teams = rng, count, people, teams
        self.everywhere = [team for here in teams.values() for team in here]
        self.version = version
        self.items = [(item.pk, item.times) for item in version.items.order_by("order")]
        self.today = timezone.localdate()
        self.noon = timezone.make_aware(datetime.combine(self.today, time(12)))
        self.serials = defaultdict(
            int,
            {
                (row.institution.code, row.year): row.last
                for row in AgreementCounter.objects.select_related("institution")
            },
        )
        # Asked here: the lines are written by a thread, which would not see what is not committed yet.
        self.places = dict(Institution.objects.values_list("code", "pk"))
        with connection.cursor() as cursor:
            # A person may bring one more than is wanted.
            self.next = copying.reserve(cursor, "contracts_agreement", count + 1)
            self.next_plan = copying.reserve(cursor, "contracts_planitem", (count + 1) * len(self.items))

    def chunks(self):
        self.lines = ([], [], [], [])
        made = 0
        for pk, home, born in self.people:
            if made >= self.count:
                break
            made += self.person(pk, home, born)
            if len(self.lines[0]) >= CHUNK:
                yield tuple("".join(part) for part in self.lines)
                self.lines = ([], [], [], [])
        if made < self.count:
            raise Refused(_("There are not enough residents without an agreement."))
        yield tuple("".join(part) for part in self.lines)

    def person(self, pk, home, born):
        """Writes one life of agreements; returns how many."""
        team = self.rng.choice(self.teams.get(home) or self.everywhere)
        last = None
        story = lives(self.rng, self.today)
        for part in story:
            last = self.agreement(pk, home, born, team, part, last)
        return len(story)

    def agreement(self, resident, home, born, team, part, follows):
        team_pk, doctor, code = team
        pk, self.next = self.next, self.next + 1
        self.serials[code, part.start.year] += 1
        number = f"{code}-{part.start.year}-{self.serials[code, part.start.year]:06d}"
        signed = self.noon - (self.today - part.start) * 1
        served = self.plan(pk, team_pk, doctor, part) if part.state != AgreementState.PENDING else None
        ended = part.state not in ALIVE
        self.lines[0].append(copying.line((
            pk, random_uuid(self.rng), number, part.state, self.places[code], team_pk, doctor, resident, "", "", "", "", "",
            json.dumps(groups(born, part.start, self.rng)), part.start, part.end, 1, self.version.price, self.version.waiver,
            part.way, "import", follows if part.follows else None, "", "", signed,
            None if part.state == AgreementState.PENDING else signed, served, part.ended_on if ended else None,
            self.noon if ended else None, part.reason, "", "",
        )))  # fmt: skip
        self.lines[1].append(
            copying.line(
                (random_uuid(self.rng), pk, self.version.pk, self.version.price, self.version.waiver)
            )
        )
        return pk

    def plan(self, agreement, team, doctor, part):
        """Its planned services and what shows that they were done; returns the last day of service."""
        rng, served = self.rng, None
        idle = rng.random() < 0.4
        over = min(part.ended_on or part.end, self.today)
        elapsed = max((over - part.start).days, 0)
        for item, times in self.items:
            plan, self.next_plan = self.next_plan, self.next_plan + 1
            share = elapsed / 365
            done = 0 if idle else sum(rng.random() < share * 0.8 for _n in range(times))
            closed = part.ended_on if part.ended_on and part.ended_on < part.end else None
            self.lines[2].append(copying.line((
                plan, random_uuid(rng), agreement, team, item, part.start, part.end, times, done, closed,
            )))  # fmt: skip
            for _n in range(done):
                day = part.start + timedelta(days=rng.randint(0, elapsed))
                served = max(served or day, day)
                at = self.noon - (self.today - day)
                self.lines[3].append(copying.line((
                    random_uuid(rng), plan, team, "by_hand", "confirmed", day, "已完成", doctor, at, doctor, at,
                )))  # fmt: skip
        return served


def groups(born, day, rng) -> list[str]:
    """Codes of Group: computed ages, and long illnesses as often as a district has them."""
    age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    found = ["child"] if age <= 6 else ["senior"] if age >= 65 else []
    if age >= 40:
        found += [code for code, share in (("hypertension", 0.3), ("diabetes", 0.12)) if rng.random() < share]
    return found


def _keep_serials(serials):
    places = dict(Institution.objects.values_list("code", "pk"))
    AgreementCounter.objects.bulk_create(
        [AgreementCounter(institution_id=places[code], year=year, last=last) for (code, year), last in serials.items()],
        update_conflicts=True, unique_fields=["institution", "year"], update_fields=["last"],
    )  # fmt: skip
