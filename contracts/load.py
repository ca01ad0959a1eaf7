"""How many residents a team and a doctor look after, against their caps (rules B4.3). Agreements that wait for their
signature count: the place is theirs."""

from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from contracts import practice
from contracts.models import Agreement, Team, TeamMember


@dataclass(frozen=True)
class Load:
    """``signed`` residents of ``cap``; ``warn`` from the practice's percent on."""

    signed: int
    cap: int
    warn_at: int

    @property
    def percent(self):
        return 100 * self.signed // self.cap if self.cap else 100

    @property
    def warn(self):
        return 100 * self.signed >= self.warn_at * self.cap

    @property
    def full(self):
        return self.signed >= self.cap


def of_teams(teams) -> dict[int, Load]:
    """{team: Load}. One query, and one for each institution among them."""
    teams = list(teams)
    counted = _counts(Agreement.objects.filter(team__in=[team.pk for team in teams]), "team")
    choices = {team.institution_id: None for team in teams}
    for team in teams:
        choices[team.institution_id] = choices[team.institution_id] or practice.of(team.institution)
    return {
        team.pk: Load(
            counted.get(team.pk, 0), team.cap or choices[team.institution_id].cap_team, choices[team.institution_id].warn_at
        )
        for team in teams
    }  # fmt: skip


def of_doctors(team, day=None) -> dict[int, Load]:
    """{family doctor of the team on that day: Load over all teams}."""
    members = TeamMember.objects.on(day or timezone.localdate()).family_doctors().filter(team=team)
    doctors = list(members.values_list("person", flat=True))
    counted, choice = (
        _counts(Agreement.objects.filter(doctor__in=doctors), "doctor"),
        practice.of(team.institution),
    )
    return {doctor: Load(counted.get(doctor, 0), choice.cap_doctor, choice.warn_at) for doctor in doctors}


def of_team(team, doctors) -> tuple[Load, dict[int, Load]]:
    """(the team's, {each of its family doctors: theirs over all teams}). Three queries."""
    choice = practice.of(team.institution)
    counted = _counts(Agreement.objects.filter(team=team), "team")
    people = of_people(doctors)
    return Load(counted.get(team.pk, 0), team.cap or choice.cap_team, choice.warn_at), {
        doctor.pk: Load(people.get(doctor.pk, 0), choice.cap_doctor, choice.warn_at) for doctor in doctors
    }


def of_people(doctors) -> dict[int, int]:
    """{family doctor: residents over all teams}; those with none are missing. One query."""
    return _counts(Agreement.objects.filter(doctor__in=list(doctors)), "doctor")


def _counts(agreements, by):
    return dict(
        agreements.alive().values_list(by).annotate(count=Count("resident", distinct=True)).order_by()
    )


def hold(*, team, doctor, more=1, doctor_more=None) -> list[str]:
    """Lock the team, then the doctor, and see whether ``more`` residents find a place. Returns warnings; where the
    practice stops hard, raises Refused code "cap". The locks last to the end of the caller's transaction: two clerks
    cannot both take the last place."""
    team = Team.objects.select_for_update(of=("self",)).select_related("institution").get(pk=team.pk)
    doctor = get_user_model().objects.select_for_update(no_key=True, of=("self",)).get(pk=doctor.pk)
    choice = practice.of(team.institution)
    doctors = more if doctor_more is None else doctor_more
    warnings = []
    for name, added, signed, cap in (
        (_("team %(name)s") % {"name": team.name}, more, _signed(team=team), team.cap or choice.cap_team),
        (
            _("family doctor %(name)s") % {"name": doctor.name},
            doctors,
            _signed(doctor=doctor),
            choice.cap_doctor,
        ),
    ):
        facts = {"name": name, "signed": signed, "cap": cap}
        after = Load(signed + added, cap, choice.warn_at)
        if added and after.signed > cap and choice.hard_stop:
            raise Refused(_("The %(name)s has %(signed)d residents of at most %(cap)d.") % facts, code="cap")
        if after.warn:
            warnings.append(_("The %(name)s has %(signed)d residents of at most %(cap)d.") % facts)
    return warnings


def _signed(**whose):
    """People, not agreements: whoever has renewed has two for a while."""
    return (
        Agreement.objects.alive().filter(**whose).aggregate(people=Count("resident", distinct=True))["people"]
    )
