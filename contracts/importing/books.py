"""What the rows of a sheet are looked up in: teams with their doctors, packages, places left. Read once a sheet."""

from collections import defaultdict
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import identifiers
from clinic.models import Institution
from contracts import load, practice
from contracts.codes import TeamRole
from contracts.models import PackageVersion, Team, TeamMember


class NotFound(Exception):
    """The text is the sentence."""


class Teams:
    """Teams in the reader's reach, by name, and where two have one name, by institution."""

    def __init__(self, by):
        self.today = timezone.localdate()
        self.teams = defaultdict(list)
        for team in Team.objects.visible_to(by).active().select_related("institution"):
            self.teams[same(team.name)].append(team)
        self.places = {
            same(word): place.pk
            for place in Institution.objects.under(by.institution)
            for word in (place.code, place.name, place.short_name)
        }
        self.doctors = defaultdict(list)
        members = TeamMember.objects.visible_to(by).family_doctors().select_related("person")
        for member in members.order_by("since"):
            self.doctors[member.team_id].append(member)

    def team(self, name, institution) -> Team:
        found = self.teams.get(same(name), [])
        if institution:
            place = self.places.get(same(institution))
            if place is None:
                raise NotFound(_("No institution of yours has this name or code."))
            found = [team for team in found if team.institution_id == place]
        if not found:
            raise NotFound(_("No team of yours in use has this name."))
        if len(found) > 1:
            raise NotFound(
                _("Several institutions have a team of this name. Please fill in the institution.")
            )
        return found[0]

    def doctor(self, team, text):
        """The family doctor of that name or account, of now or before; none named: the leader of today."""
        members = self.doctors[team.pk]
        if text:
            found = {
                m.person for m in members if same(text) in (same(m.person.name), same(m.person.username))
            }
            if len(found) > 1:
                raise NotFound(_("Two doctors of the team have this name. Please write the account."))
        else:
            found = {m.person for m in members if m.role == TeamRole.LEADER and self._now(m)}
            if not found:
                raise NotFound(_("The team has no leader today. Please fill in the doctor."))
        if not found:
            raise NotFound(_("This is no family doctor of the team."))
        return found.pop()

    def _now(self, member):
        return member.since <= self.today and (member.until is None or member.until >= self.today)


class Packages:
    """Published versions by code, as a team's institution offers them."""

    def __init__(self, by):
        self.versions = defaultdict(list)
        rows = PackageVersion.objects.visible_to(by).filter(published_at__isnull=False)
        rows = rows.select_related("package__institution").order_by("valid_from")
        for version in rows:
            self.versions[version.package.code.upper()].append(version)

    def version(self, code, institution, day: date) -> PackageVersion:
        """The one in force on that day. What was signed before the first version was written down here gets that
        one. The nearest institution's counts where two use a code."""
        along = institution.paths_up
        found = [one for one in self.versions.get(code.upper(), []) if one.package.institution.path in along]
        if not found:
            raise NotFound(_("No package has the code “%(code)s”.") % {"code": code[:20]})
        nearest = max(len(one.package.institution.path) for one in found)
        found = [one for one in found if len(one.package.institution.path) == nearest]
        begun = [one for one in found if one.valid_from <= day]
        chosen = begun[-1] if begun else found[0]
        if begun and chosen.valid_to and chosen.valid_to < day:
            raise NotFound(
                _("The package “%(code)s” was not offered on the first day.") % {"code": code[:20]}
            )
        return chosen


class Room:
    """Places left at teams and doctors where the practice stops hard, taken one by one. Under locks on both it is the
    truth, else a forecast."""

    def __init__(self):
        self.left, self.sentences, self.known, self.caps = {}, {}, set(), {}

    def _look(self, team):
        self.known.add(team.pk)
        choice = practice.of(team.institution)
        if not choice.hard_stop:
            return
        self.caps[team.pk] = choice.cap_doctor
        self._note(("team", team.pk), load.of_teams([team])[team.pk], team.name)
        for doctor, its in load.of_doctors(team).items():
            self._note(("doctor", doctor), its, "")

    def _note(self, whose, its, name):
        if whose in self.left:  # a doctor of two teams
            return
        self.left[whose] = its.cap - its.signed
        facts = {"name": name, "signed": its.signed, "cap": its.cap}
        self.sentences[whose] = (
            _("The team %(name)s has %(signed)d residents of at most %(cap)d.") % facts
            if name
            else _("The family doctor has %(signed)d residents of at most %(cap)d.") % facts
        )

    def take(self, team, doctor) -> str:
        """Nothing where there was room for one more at both; else the sentence. ``doctor``: a row number."""
        if team.pk not in self.known:
            self._look(team)
        if team.pk in self.caps and ("doctor", doctor) not in self.left:  # one who has left the team
            self._note(
                ("doctor", doctor),
                load.Load(load.of_people([doctor]).get(doctor, 0), self.caps[team.pk], 0),
                "",
            )
        wanted = [whose for whose in (("team", team.pk), ("doctor", doctor)) if whose in self.left]
        for whose in wanted:
            if self.left[whose] < 1:
                return self.sentences[whose]
        for whose in wanted:
            self.left[whose] -= 1
        return ""


def same(text):
    return "".join(identifiers.half_width(str(text)).split()).casefold()
