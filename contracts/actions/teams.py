"""Teams: their name, area and cap, and who belongs to them from when until when."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.text import is_storable
from contracts.codes import FAMILY_DOCTORS, TeamRole
from contracts.models import Agreement, SigningPractice, Team, TeamArea, TeamMember

# A manager may be a doctor who sees patients too.
DOCTORS = (Role.DOCTOR, Role.MANAGER)
FIELDS = ("name", "phone", "cap", "note", "active")
PRACTICE = ("cap_doctor", "cap_team", "warn_at", "hard_stop", "remind_by", "remind_with", "pending_days")


def keep(*, institution, areas, by, team=None, request=None, **fields):
    """Write a team (FIELDS) and the neighbourhoods it serves; return it. Refused codes: name, cap; Conflict: taken."""
    _allowed(by, "contracts.change_team" if team else "contracts.add_team", institution)
    name = (fields.get("name") or "").strip()
    if not name or not is_storable(name):
        raise Refused(_("Please give the team a name."), code="name", field="name")
    if fields.get("cap") == 0:
        raise Refused(_("Please give a number from 1 up, or leave it empty."), code="cap", field="cap")
    with violations.told(Team, TeamArea), transaction.atomic():
        row = Team.objects.select_for_update().get(pk=team.pk) if team else Team(institution=institution)
        for field in FIELDS:
            setattr(row, field, name if field == "name" else fields.get(field, getattr(row, field)))
        row.save()
        _serve(row, areas)
        audit.record(Act.TEAM, by=by, request=request, obj=row, detail={"areas": len(areas)})
        return row


def _serve(team, areas):
    there = {area.community_id: area for area in team.team_areas.all()}
    wanted = {community.pk for community in areas}
    for community, area in there.items():
        if community not in wanted:
            area.delete()
    for community in areas:
        if community.pk not in there:
            TeamArea.objects.create(team=team, community=community)


def add_member(*, team, role, by, person=None, name="", phone="", since=None, request=None):
    """Somebody joins; return the membership. Refused codes: person, role, since; Conflict code: taken (a second leader,
    the same person twice)."""
    _allowed(by, "contracts.change_team", team.institution)
    since = since or timezone.localdate()
    if role not in TeamRole.values:
        raise Refused(_("Please choose a role."), code="role", field="role")
    if (person is None) == (not name.strip()):
        raise Refused(
            _("Choose a staff member, or write the name of somebody from outside."),
            code="person",
            field="person",
        )
    if role in FAMILY_DOCTORS and person is None:
        raise Refused(_("A family doctor of the team is a staff member."), code="person", field="person")
    if role in FAMILY_DOCTORS and person.role not in DOCTORS:
        raise Refused(_("Only a doctor can be a family doctor of the team."), code="person", field="person")
    if person is not None and not get_user_model().objects.visible_to(by).filter(pk=person.pk).exists():
        raise Refused(_("Please choose somebody of your institution."), code="person", field="person")
    with violations.told(TeamMember), transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        row = TeamMember.objects.create(
            team=team, person=person, name=name.strip(), phone=phone.strip(), role=role, since=since
        )
        audit.record(Act.TEAM, by=by, request=request, obj=team, detail={"joined": str(role)})
        return row


def end_member(*, member, by, until=None, request=None):
    """Somebody leaves, ``until`` being the last day (today). A doctor's residents stay with the team: their agreements
    are given to another one in bulk. Refused code: until."""
    _allowed(by, "contracts.change_team", member.team.institution)
    until = until or timezone.localdate()
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=member.team_id)
        row = TeamMember.objects.select_for_update(of=("self",)).select_related("team").get(pk=member.pk)
        if row.until is not None and row.until <= until:
            return row  # gone by then; leaving twice makes nobody come back
        if until < row.since:
            raise Refused(_("The end lies before the beginning."), code="until", field="until")
        if row.until != until:
            row.until = until
            row.save(update_fields=["until"])
            audit.record(Act.TEAM, by=by, request=request, obj=row.team, detail={"left": str(row.role)})
        return row


def left_behind(member) -> int:
    """How many live agreements name somebody who leaves."""
    rows = Agreement.objects.alive().filter(team=member.team_id, doctor=member.person_id)
    return rows.count() if member.person_id else 0


def keep_practice(*, institution, by, request=None, **wanted):
    """Write how an institution signs (PRACTICE; None or "" means as above); return its row. Refused codes: warn_at, days,
    remind_with."""
    _allowed(by, "contracts.change_signingpractice", institution)
    if wanted.get("warn_at") is not None and not 1 <= wanted["warn_at"] <= 100:
        raise Refused(_("Please give a percentage from 1 to 100."), code="warn_at", field="warn_at")
    if wanted.get("pending_days") is not None and not 1 <= wanted["pending_days"] <= 366:
        raise Refused(_("Please give a number of days from 1 to 366."), code="days", field="pending_days")
    if wanted.get("remind_by") == "message" and wanted.get("remind_with") is None:
        raise Refused(
            _("Please choose a template for the messages."), code="remind_with", field="remind_with"
        )
    with transaction.atomic():
        SigningPractice.objects.get_or_create(institution=institution)
        row = SigningPractice.objects.select_for_update(of=("self",)).get(institution=institution)
        for name in PRACTICE:
            setattr(row, name, wanted.get(name) if name != "remind_by" else wanted.get(name) or "")
        row.save()
        audit.record(Act.TEAM, by=by, request=request, obj=row, detail={"practice": institution.code})
        return row


def _allowed(by, right, institution):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
