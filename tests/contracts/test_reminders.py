"""Reminders before the end: once for each light, by message or as a call; and why somebody does not sign."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from clinic.errors import Conflict, Refused
from contracts import reminders
from contracts.actions import reminders as actions
from contracts.models import Agreement, NotSigned, Reminder, SigningPractice
from messaging.codes import MessageState, Purpose
from messaging.models import Message, OptOut, SmsTemplate
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


@pytest.fixture
def scene(db, district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    return {"station": station, "team": build.team(station), "clerk": factories.user(Role.CLERK, station)}


def ending(scene, days):
    end = TODAY() + timedelta(days=days)
    return build.agreement(
        factories.resident(scene["station"]), scene["team"], start=end - timedelta(days=364), end=end
    )


def by_message(scene):
    template = SmsTemplate.objects.create(
        institution=scene["station"], name="到期", purpose=Purpose.AGREEMENT,
        body="{name}您好，您与{team}的协议{last_day}到期，还有{days}天。",
    )  # fmt: skip
    SigningPractice.objects.create(institution=scene["station"], remind_with=template)


@pytest.mark.parametrize(
    ("days", "light"),
    [(-1, None), (0, 30), (30, 30), (31, 60), (60, 60), (61, 90), (90, 90), (91, None)],
    ids=str,
)
def test_the_light_is_the_next_one_ahead(days, light):
    assert reminders.light_of(days) == light


def test_each_light_reminds_once_whatever_runs_again(scene):
    made = ending(scene, 80)
    ending(scene, 91)
    assert (reminders.remind(), reminders.remind()) == (1, 0)
    later = timezone.now() + timedelta(days=25)
    assert (reminders.remind(later), reminders.remind(later)) == (2, 0)
    assert sorted(made.reminders.values_list("light", "state")) == [(60, "open"), (90, "open")]


def test_a_message_says_team_and_last_day(scene):
    by_message(scene)
    made = ending(scene, 20)
    reminders.remind()
    row = made.reminders.get()
    assert (row.by, row.state) == ("message", "queued")
    assert f"{made.team.name}的协议{made.end}到期，还有20天" in row.message.text


def test_who_wants_no_messages_is_called_and_the_list_says_why(scene):
    by_message(scene)
    made = ending(scene, 20)
    OptOut.objects.create(phone=made.resident.phone, source="desk")
    reminders.remind()
    row = made.reminders.get()
    assert (row.by, row.state, bool(row.why_call)) == ("call", "open", True)
    assert not Message.objects.exists()


def test_a_message_that_did_not_arrive_becomes_a_call(scene):
    by_message(scene)
    made = ending(scene, 20)
    reminders.remind()
    Message.objects.update(state=MessageState.CANCELLED, reason="campaign")
    assert (reminders.follow_up(), reminders.follow_up()) == (1, 0)
    assert made.reminders.get().state == "open"


def test_whoever_has_renewed_is_called_no_more(scene):
    made = ending(scene, 20)
    reminders.remind()
    build.agreement(made.resident, made.team, start=made.end + timedelta(days=1), follows=made)
    assert reminders.follow_up() == 1
    assert made.reminders.get().state == "moot"


def test_calling_twice_is_one_call_and_what_is_settled_stays(scene):
    ending(scene, 20)
    reminders.remind()
    row = Reminder.objects.get()
    for _twice in range(2):
        assert actions.called(reminder=row, by=scene["clerk"], note="下周来").state == "done"
    assert actions.called(reminder=row, by=scene["clerk"], again=True).state == "open"
    row.refresh_from_db()
    row.state = "moot"
    row.save()
    with pytest.raises(Conflict):
        actions.called(reminder=row, by=scene["clerk"])


def test_why_not_is_kept_once_a_day_and_other_wants_words(scene):
    whom = factories.resident(scene["station"])
    for _twice in range(2):
        actions.not_signed(resident=whom, why="price", by=scene["clerk"])
    assert NotSigned.objects.count() == 1
    with pytest.raises(Refused):
        actions.not_signed(resident=whom, why="other", by=scene["clerk"])


def test_the_list_is_the_stations_own(scene, client, stranger):
    ending(scene, 20)
    reminders.remind()
    row = Reminder.objects.get()
    client.force_login(factories.user(Role.NURSE, scene["station"]))
    assert row.agreement.resident.name in client.get(reverse("signing-reminders")).content.decode()
    address = reverse("signing-reminder", args=[row.uuid])
    assert client.post(address, {"note": "好", "why": "away"}).status_code == 302
    assert NotSigned.objects.get().why == "away"
    client.force_login(stranger)
    assert client.post(address).status_code == 404
    assert row.agreement.resident.name not in client.get(reverse("signing-reminders")).content.decode()


def test_an_unknown_reminder_is_not_found(scene, client):
    client.force_login(scene["clerk"])
    assert client.post(reverse("signing-reminder", args=[uuid.uuid4()])).status_code == 404
    assert Agreement.objects.count() == 0


def test_a_call_that_is_settled_already_leaves_no_reason_behind(scene, client):
    ending(scene, 20)
    reminders.remind()
    row = Reminder.objects.get()
    Reminder.objects.update(state="moot")
    client.force_login(scene["clerk"])
    client.post(reverse("signing-reminder", args=[row.uuid]), {"note": "好", "why": "away"})
    assert not NotSigned.objects.exists()
