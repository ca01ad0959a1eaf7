"""What comes at the wrong moment or twice: keys of something else, a file merged meanwhile, a renewal in the way of a
change of team, a doctor who has left. A sentence, and nothing half-written."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from contracts import lifecycle, pictures
from contracts.actions import agreements, drafts, renewal, renewals, switches, teams
from contracts.codes import EndReason, SignatureKind, TeamRole, Way, WhyNot
from contracts.models import Agreement, Signature, TeamMember
from tests import factories
from tests.contracts import desk_build as build
from tests.contracts.test_making import drawing

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def scene(station, district):
    return {
        "team": build.team(station), "other": build.team(station, "二队"), "text": build.text(district),
        "version": build.version(district), "station": station, "clerk": factories.user(Role.CLERK, station),
        "doctor": factories.user(Role.DOCTOR, station),
    }  # fmt: skip


def given(scene, whom=None, **more):
    return {
        "key": uuid.uuid4(), "resident": whom or factories.resident(scene["station"]), "team": scene["team"],
        "doctor": build.leader(more.get("team", scene["team"])), "by": scene["clerk"], "start": TODAY(), "years": 1,
        "versions": [scene["version"]], "way": Way.IN_PERSON, "text": scene["text"], **more,
    }  # fmt: skip


def signature():
    return pictures.drawn(drawing()), SignatureKind.DRAWN


def ending(scene, days=20, whom=None, **more):
    end = TODAY() + timedelta(days=days)
    whom = whom or factories.resident(scene["station"])
    made = build.agreement(whom, scene["team"], start=end - timedelta(days=364), end=end, **more)
    made.packages.create(version=scene["version"], price=120, waiver=100)
    return made


def renewed(scene, old, **more):
    return renewal.renew(
        **{"key": uuid.uuid4(), "agreement": old, "by": scene["clerk"], "text": scene["text"], "read": True, **more}
    )  # fmt: skip


class Line:
    def __init__(self, agreement):
        self.agreement, self.agreement_id, self.pk = agreement, agreement.pk, id(self)


def renewed_in_bulk(scene, old):
    orders = {"text": scene["text"].pk, "confirmed": True, "years": None}
    return renewals.renew_many([Line(old)], orders, scene["clerk"])[0][1:]


def wish(scene, old, **more):
    to = scene["other"]
    return switches.ask(
        **{"agreement": old, "to_team": to, "to_doctor": build.leader(to), "reason": "搬家", "by": scene["clerk"], **more}
    )  # fmt: skip


# Keys ----------------------------------------------------------------------------------------------


def test_the_key_of_another_signature_signs_nothing(scene):
    first = agreements.make(**given(scene, state="signed", read=True, signature=signature()))
    waiting = agreements.make(**given(scene, state="pending"))
    with pytest.raises(Conflict):
        agreements.sign(
            agreement=waiting, by=scene["clerk"], signature=signature(), signer="", read=True, key=first.uuid
        )
    waiting.refresh_from_db()
    assert (waiting.state, Signature.objects.count()) == ("pending", 1)


def test_the_key_of_the_old_agreement_renews_nothing(scene):
    old = ending(scene)
    with pytest.raises(Conflict):
        renewed(scene, old, key=old.uuid)


def test_a_change_of_team_with_the_key_of_another_agreement_is_refused(scene):
    old = ending(scene)
    with pytest.raises(Conflict):
        switches.agree(switch=wish(scene, old), by=scene["doctor"], text=scene["text"], key=old.uuid)
    old.refresh_from_db()
    assert old.state == "signed"


# Signing -------------------------------------------------------------------------------------------


def test_what_waits_after_a_change_of_team_is_not_signed_without_a_signature(scene):
    made = switches.agree(
        switch=wish(scene, ending(scene)), by=scene["doctor"], text=scene["text"], read=False
    ).made
    with pytest.raises(Refused) as told:
        agreements.sign(
            agreement=made, by=scene["clerk"], signature=None, signer="", read=True, key=uuid.uuid4()
        )
    assert told.value.code == "signature"


def test_a_refusal_takes_its_locks_in_the_order_of_the_house(scene):
    """Else the clerk who signs and the one who writes down the refusal wait for each other."""
    waiting = agreements.make(**given(scene, state="pending"))
    with CaptureQueriesContext(
        connection,
    ) as done:
        agreements.refuse(agreement=waiting, by=scene["clerk"], why=WhyNot.NO_NEED)
    locks = [query["sql"].split("FROM ")[1].split()[0] for query in done if "FOR UPDATE" in query["sql"]]
    assert locks[0] == '"clinic_resident"'


def test_a_draft_given_to_another_team_meanwhile_meets_the_cap_of_that_team(scene):
    seen = agreements.make(**given(scene))
    scene["other"].cap = 1
    scene["other"].save()
    agreements.make(**given(scene, team=scene["other"], state="pending"))
    there = {"team": scene["other"], "doctor": build.leader(scene["other"])}
    agreements.change(agreement=Agreement.objects.get(pk=seen.pk), by=scene["clerk"], **there)
    with pytest.raises(Refused) as told:
        agreements.put(agreement=seen, by=scene["clerk"])
    assert told.value.code == "cap"


def test_by_the_handbook_there_is_no_draft_that_leads_nowhere(scene):
    with pytest.raises(Refused) as told:
        agreements.make(**given(scene, way=Way.HANDBOOK))
    assert told.value.code == "way"
    draft = agreements.make(**given(scene))
    with pytest.raises(Refused):
        agreements.change(agreement=draft, by=scene["clerk"], way=Way.HANDBOOK)


@pytest.mark.parametrize("start", [date(9999, 12, 31), date(1, 1, 1)])
def test_a_first_day_at_the_end_of_time_is_a_sentence(scene, start):
    with pytest.raises(Refused):
        agreements.make(**given(scene, start=start))


# Merged files --------------------------------------------------------------------------------------


def merged(scene, gone):
    """``gone`` is absorbed into another file of the same person, which is returned."""
    stays = factories.resident(scene["station"])
    Resident.objects.filter(pk=gone.pk).update(merged_into=stays)
    return stays


def test_a_file_merged_since_the_page_was_opened_is_not_signed(scene):
    whom = factories.resident(scene["station"])
    merged(scene, whom)
    with pytest.raises(Conflict):
        agreements.make(**given(scene, whom, state="pending"))


def test_a_renewal_in_bulk_sees_the_agreement_of_the_absorbed_file(scene):
    whom = factories.resident(scene["station"])
    lapsed = ending(scene, -400, whom)
    build.agreement(whom, scene["other"], start=TODAY() - timedelta(days=9))
    merged(scene, whom)
    made, sentence = renewed_in_bulk(scene, lapsed)
    assert (made, bool(sentence)) == (None, True)


def test_who_has_died_is_let_go_under_every_file(scene):
    whom = factories.resident(scene["station"])
    made, stays = ending(scene, whom=whom), merged(scene, whom)
    stays.life_state, stays.life_state_on = LifeState.DECEASED, TODAY()
    stays.save()
    assert lifecycle.tend() == 1
    made.refresh_from_db()
    assert (made.state, made.end_reason) == ("terminated", "deceased")


# Renewing ------------------------------------------------------------------------------------------


def left_to_a_full_colleague(scene):
    """An agreement whose doctor has left; the leader who would have it has one resident, and the cap is one."""
    old, leader = ending(scene), build.leader(scene["team"])
    gone = factories.user(Role.DOCTOR, scene["station"])
    TeamMember.objects.create(team=scene["team"], person=gone, role="doctor", since=TODAY() - timedelta(9),
                              until=TODAY() - timedelta(1))  # fmt: skip
    Agreement.objects.filter(pk=old.pk).update(doctor=gone)
    build.agreement(factories.resident(scene["station"]), scene["team"])
    manager = factories.user(Role.MANAGER, scene["station"])
    teams.keep_practice(institution=scene["station"], by=manager, cap_doctor=1)
    return Agreement.objects.get(pk=old.pk), leader


def test_a_renewal_with_another_doctor_takes_a_place_with_that_doctor(scene):
    old, _leader = left_to_a_full_colleague(scene)
    with pytest.raises(Refused) as told:
        renewed(scene, old)
    assert told.value.code == "cap"
    made, sentence = renewed_in_bulk(scene, old)
    assert (made, bool(sentence)) == (None, True)


def test_a_leader_who_came_back_is_one_leader(scene):
    old, leader = ending(scene), build.leader(scene["team"])
    TeamMember.objects.filter(person=leader).update(until=date(2022, 1, 1))
    TeamMember.objects.create(team=scene["team"], person=leader, role=TeamRole.LEADER, since=date(2023, 1, 1))
    Agreement.objects.filter(pk=old.pk).update(doctor=scene["doctor"])
    assert renewed(scene, Agreement.objects.get(pk=old.pk)).doctor == leader


def test_a_team_without_its_leader_renews_nobody(scene):
    old = ending(scene)
    TeamMember.objects.filter(team=scene["team"], role=TeamRole.LEADER).update(until=TODAY() - timedelta(1))
    TeamMember.objects.create(
        team=scene["team"], person=scene["doctor"], role="doctor", since=date(2023, 1, 1)
    )
    with pytest.raises(Refused) as told:
        renewed(scene, old)
    assert told.value.code == "team"


def test_who_leaves_before_the_renewal_begins_does_not_have_it(scene):
    """Singly and in bulk: the colleague who takes over the team that day."""
    olds, soon = [ending(scene), ending(scene)], TODAY() + timedelta(9)
    TeamMember.objects.filter(team=scene["team"], role=TeamRole.LEADER).update(until=soon)
    TeamMember.objects.create(
        team=scene["team"], person=scene["doctor"], role=TeamRole.LEADER, since=soon + timedelta(1)
    )
    made, sentence = renewed_in_bulk(scene, olds[1])
    assert sentence == ""
    assert made.doctor == renewed(scene, olds[0]).doctor == scene["doctor"]


def test_who_signs_anew_for_the_morrow_has_renewed(scene):
    old = ending(scene)
    draft = agreements.make(**given(scene, old.resident, start=old.end + timedelta(1)))
    assert draft.follows is None
    assert agreements.put(agreement=draft, by=scene["clerk"]).follows == old
    with pytest.raises(Conflict):
        renewed(scene, old)


def test_nobody_renews_in_bulk_for_another_station(scene, other_station):
    made, sentence = renewed_in_bulk(
        {**scene, "clerk": factories.user(Role.CLERK, other_station)}, ending(scene)
    )
    assert (made, bool(sentence)) == (None, True)


# Ending and changing -------------------------------------------------------------------------------


def test_a_last_day_long_before_the_first_is_a_slip(scene):
    made = ending(scene)
    with pytest.raises(Refused) as told:
        agreements.end(
            agreement=made, reason=EndReason.MOVED, by=scene["clerk"], on=made.start - timedelta(9)
        )
    assert told.value.code == "day"


def test_ending_it_ends_the_renewal_that_has_not_begun(scene):
    """Else somebody who moved away is signed again next year, and no other team can have them."""
    old = ending(scene)
    new = renewed(scene, old)
    agreements.end(agreement=old, reason=EndReason.MOVED, by=scene["clerk"])
    new.refresh_from_db()
    assert (new.state, new.end_reason, new.ended_on) == ("terminated", "moved", new.start - timedelta(days=1))


def test_who_has_renewed_already_may_change_the_team(scene):
    old = ending(scene)
    new = renewed(scene, old)
    made = switches.agree(switch=wish(scene, old), by=scene["doctor"], text=scene["text"]).made
    old.refresh_from_db(), new.refresh_from_db()
    assert (old.state, new.state, new.ended_on) == ("switched", "switched", new.start - timedelta(days=1))
    assert (made.follows, made.start, made.state) == (new, TODAY(), "pending")


def test_the_side_that_lets_go_does_not_withdraw_the_wish(scene, other_station):
    """It agrees, or refuses with a reason."""
    team = build.team(other_station, "外队")
    there = factories.user(Role.CLERK, other_station)
    old = build.agreement(factories.resident(other_station), scene["team"])
    switch = wish(scene, old, to_team=team, to_doctor=build.leader(team), by=there)
    with pytest.raises(Forbidden):
        switches.withdraw(switch=switch, by=scene["clerk"])
    assert switches.withdraw(switch=switch, by=there).state == "withdrawn"


def test_nobody_is_given_to_a_doctor_who_works_here_no_more(scene):
    made, doctor = ending(scene), scene["doctor"]
    TeamMember.objects.create(team=scene["team"], person=doctor, role="doctor", since=TODAY())
    doctor.is_active = False
    doctor.save()
    with pytest.raises(Refused):
        agreements.reassign(agreement=made, doctor=doctor, by=scene["clerk"])


def test_who_has_left_a_team_does_not_leave_it_again(scene):
    manager = factories.user(Role.MANAGER, scene["station"])
    member = scene["team"].members.get(role=TeamRole.LEADER)
    TeamMember.objects.filter(pk=member.pk).update(until=TODAY() - timedelta(9))
    teams.add_member(team=scene["team"], role=TeamRole.LEADER, by=manager, person=scene["doctor"],
                     since=TODAY() - timedelta(8))  # fmt: skip
    assert teams.end_member(member=member, by=manager).until == TODAY() - timedelta(9)


def test_a_draft_of_which_the_key_was_used_is_left_alone(scene):
    """The key of one agreement's signature does not tell another that it is signed."""
    first = agreements.make(**given(scene, state="signed", read=True, signature=signature()))
    draft = agreements.make(**given(scene))
    terms = {**given(scene, draft.resident), "signature": signature(), "read": True, "representative": None,
             "phone": "", "address": "", "note": ""}  # fmt: skip
    with pytest.raises(Conflict):
        drafts.carry_on(agreement=draft, terms=terms, state="signed", key=first.uuid, by=scene["clerk"])


@pytest.mark.parametrize("role", [TeamRole.LEADER, TeamRole.DOCTOR])
def test_a_clerk_is_nobodys_family_doctor(scene, role):
    manager = factories.user(Role.MANAGER, scene["station"])
    with pytest.raises(Refused) as told:
        teams.add_member(
            team=scene["team"], role=role, by=manager, person=scene["clerk"], since=TODAY() + timedelta(1)
        )
    assert told.value.code == "person"
