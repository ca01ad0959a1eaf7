"""Family-doctor signing in the demo: two teams of the station, one of the strangers', agreements in every state, the
plans of some of them served. The eldest household is left for whoever tries to sign one."""

import random
import uuid
from datetime import date, timedelta

from django.utils import timezone

from clinic.codes import LifeState
from clinic.models import Community
from contracts import eligibility, planning
from contracts.actions import agreements as acts
from contracts.actions import reminders, switches
from contracts.codes import (
    AgreementState,
    EndReason,
    EvidenceKind,
    EvidenceState,
    RemindBy,
    Source,
    TeamRole,
    Way,
    WhyNot,
)
from contracts.figures import adding_up
from contracts.models import (
    Agreement,
    AgreementPackage,
    Evidence,
    HomeVisit,
    SigningPractice,
    Team,
    TeamMember,
)
from contracts.numbers import take
from contracts.seeding import catalogue
from contracts.terms import last_day
from messaging.models import SmsTemplate

S = AgreementState
SEED = 5
# State, days until the last one, share of what is due that was done. In turn over the residents.
FATES = (
    (S.SIGNED, 20, 0.9), (S.SIGNED, 240, 0.5), (S.SIGNED, 48, 0.0), (S.RENEWED, -12, 0.8), (S.SIGNED, 300, 0.0),
    (S.EXPIRED, -25, 0.4), (S.PENDING, 364, 0.0), (S.SIGNED, 77, 0.7), (S.TERMINATED, 150, 0.3), (S.SWITCHED, 120, 0.5),
    (S.DRAFT, 364, 0.0), (S.SIGNED, 333, 0.6), (S.REFUSED, 364, 0.0),
)  # fmt: skip


def make(staff, residents):
    versions, text = catalogue.make(staff)
    first, second = _teams(staff)
    _practice(staff)
    demo = Demo(staff, versions, text, first, second)
    eldest = residents[0].household_id
    people = [one for one in residents if one.household_id != eldest and one.life_state == LifeState.LIVING]
    for number, resident in enumerate(people):
        demo.live(resident, *FATES[number % len(FATES)])
    reminders.not_signed(resident=residents[0], why=WhyNot.UNAWARE, by=staff["clerk"])
    adding_up.add_up_all()


def _teams(staff):
    station, other = staff["doctor"].institution, staff["doctor_b"].institution
    made = []
    for where, name, members in (
        (station, "王淑珍家庭医生团队", (("doctor", TeamRole.LEADER), ("doctor2", TeamRole.DOCTOR), ("nurse", TeamRole.NURSE))),
        (station, "李国强家庭医生团队", (("doctor2", TeamRole.LEADER), ("nurse", TeamRole.NURSE))),
        (other, "赵敏家庭医生团队", (("doctor_b", TeamRole.LEADER),)),
    ):  # fmt: skip
        team = Team.objects.create(institution=where, name=name, phone=where.phone)
        team.areas.set(Community.objects.filter(institution=where))
        since = date(timezone.localdate().year - 2, 1, 1)
        for account, role in members:
            TeamMember.objects.create(team=team, person=staff[account], role=role, since=since)
        made.append(team)
    TeamMember.objects.create(
        team=made[0], name="陈立", phone="010-00000021", role=TeamRole.PHARMACIST, since=since
    )
    TeamMember.objects.create(
        team=made[2], name="何秀兰", phone="010-00000022", role=TeamRole.NURSE, since=since
    )
    return made[:2]


def _practice(staff):
    """The station reminds by message, everybody else by phone."""
    template = SmsTemplate.objects.filter(name="签约到期提醒").first()
    SigningPractice.objects.create(
        institution=staff["doctor"].institution, remind_with=template,
        remind_by=RemindBy.MESSAGE if template else RemindBy.CALL,
    )  # fmt: skip


class Demo:
    def __init__(self, staff, versions, text, first, second):
        self.staff, self.versions, self.text, self.teams = staff, versions, text, (first, second)
        self.rng, self.today, self.now = random.Random(SEED), timezone.localdate(), timezone.now()
        self.count = 0

    def live(self, resident, state, days, share):
        """One resident's agreement, and what became of it."""
        team = self.teams[self.count % 5 == 4]
        self.count += 1
        if state in (S.DRAFT, S.PENDING, S.REFUSED):
            self._begun(resident, team, state)
            return
        made = self._old(resident, team, self.today + timedelta(days=days))
        self._serve(made, share)
        self._finish(made, state)

    def _begun(self, resident, team, state):
        row = acts.make(
            key=self._key(), resident=resident, team=team, doctor=self.staff["doctor2"], by=self.staff["clerk"],
            start=self.today, years=1, versions=self._packages(resident), way=Way.IN_PERSON, text=self.text,
            phone=resident.phone, address=resident.address, state=S.DRAFT if state == S.DRAFT else S.PENDING, now=self.now,
        )  # fmt: skip
        if state == S.REFUSED:
            acts.refuse(agreement=row, by=self.staff["clerk"], note="先和子女商量", why=WhyNot.NO_NEED)

    def _packages(self, resident):
        groups = eligibility.groups_of([resident], self.today)[resident.pk]
        fit = [
            one
            for one in self.versions.values()
            if not eligibility.why_not(one, resident, groups, self.today)
        ]
        return [one for one in fit if one.package.code != "ZYB"]

    def _old(self, resident, team, end):
        """As the old system's import leaves it."""
        start = end - timedelta(days=364)
        start -= last_day(start, 1) - end
        versions, signed = self._packages(resident), self.now - (self.today - start)
        made = Agreement.objects.create(
            uuid=self._key(), number=take(team.institution, start.year)[0], state=S.SIGNED, institution=team.institution,
            team=team, doctor=self.staff["doctor"] if team == self.teams[0] else self.staff["doctor2"], resident=resident,
            phone=resident.phone, address=resident.address, start=start, end=end, years=1, text=self.text, read_at=signed,
            groups=sorted(eligibility.groups_of([resident], start)[resident.pk]),
            fee=sum(one.price for one in versions), waived=sum(one.waiver for one in versions), way=Way.IN_PERSON,
            source=Source.IMPORT, made_by=self.staff["clerk"], made_at=self.now, signed_by=self.staff["clerk"], signed_at=signed,
        )  # fmt: skip
        AgreementPackage.objects.bulk_create(
            AgreementPackage(agreement=made, version=one, price=one.price, waiver=one.waiver)
            for one in versions
        )
        planning.make([made])
        return made

    def _serve(self, made, share):
        """So much of what began to be due was done; the last one waits to be confirmed."""
        done = []
        for line in made.plan.select_related("item"):
            if line.due_from > self.today or self.rng.random() > share:
                continue
            last = min(line.due_to, self.today - timedelta(days=1))
            if last < line.due_from:
                continue
            day = line.due_from + timedelta(days=self.rng.randint(0, (last - line.due_from).days))
            done.append(self._evidence(line, day, made))
        if done:
            made.last_served_on = max(done)
            made.save(update_fields=["last_served_on"])

    def _evidence(self, line, day, made):
        nurse, home = self.staff["nurse"], None
        if "home_visit" in line.item.evidence:
            home = HomeVisit.objects.create(
                resident=made.resident, institution=made.institution, on=day, by=nurse, did=f"{line.item.name}，测血压，问服药",
                found="一般情况好",
            )  # fmt: skip
        Evidence.objects.create(
            plan=line, team_id=line.team_id, on=day, home_visit=home, state=EvidenceState.CONFIRMED, done_by=nurse,
            kind=EvidenceKind.HOME_VISIT if home else EvidenceKind.BY_HAND, note="" if home else f"已完成{line.item.name}",
            decided_by=made.doctor, decided_at=self.now,
        )  # fmt: skip
        line.done = 1
        line.save(update_fields=["done"])
        return day

    def _finish(self, made, state):
        doctor = self.staff["doctor"]
        if state == S.TERMINATED:
            acts.end(agreement=made, reason=EndReason.MOVED, note="随女儿迁往外区", by=doctor, now=self.now)
        elif state == S.SWITCHED:
            other = self.teams[made.team_id == self.teams[0].pk]
            wish = switches.ask(
                agreement=made, to_team=other, to_doctor=other.members.get(role=TeamRole.LEADER).person,
                reason="离李医生的诊室更近", by=self.staff["clerk"], now=self.now,
            )  # fmt: skip
            switches.agree(switch=wish, by=doctor, text=self.text, now=self.now)
        elif state in (S.EXPIRED, S.RENEWED):
            made.state, made.ended_on, made.ended_at = state, made.end, self.now
            made.save(update_fields=["state", "ended_on", "ended_at"])
            planning.close(made, made.end)
            if state == S.RENEWED:
                new = self._old(made.resident, made.team, last_day(made.end + timedelta(days=1), 1))
                self._serve(new, 0.4)

    def _key(self):
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)
