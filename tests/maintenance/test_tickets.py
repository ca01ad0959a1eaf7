"""A ticket's life: what moves it, who may, and what its clock says meanwhile."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from clinic.codes import InstitutionKind, Role
from clinic.errors import Conflict, Forbidden, Refused
from maintenance import escalation, search, silence, sla
from maintenance.actions import tickets
from maintenance.codes import Closing, Severity, Side, TicketKind, TicketState, WaitingFor
from maintenance.models import Alarm, Promise, Ticket, TicketEvent
from tests import factories
from tests.maintenance.conftest import MONDAY, at

HOUR = timedelta(hours=1)


def test_from_the_report_to_the_end(fault, people):
    made, it = fault(), people["it"]
    assert (made.response_due_at, made.resolve_due_at) == (at("11-23 09:30"), at("11-24 09:30"))
    tickets.accept(ticket=made, by=it, now=at("11-23 09:20"))
    tickets.work(ticket=made, by=it, now=at("11-23 10:00"))
    tickets.fix(ticket=made, by=it, words="换了纸盒", now=at("11-23 14:00"))
    done = tickets.confirm(ticket=made, by=people["doctor"], now=at("11-23 15:00"))
    assert (done.state, done.closing, done.responded_at) == ("closed", "confirmed", at("11-23 09:20"))
    assert [row.facts.get("to") for row in done.events.filter(kind="state")] == [
        "accepted", "working", "fixed", "confirmed", "closed",
    ]  # fmt: skip
    assert not Alarm.objects.filter(ticket=made, at__isnull=False).exists()


def test_the_clock_stands_for_the_user_and_not_inside_the_vendor(fault, people):
    made, it = fault(), people["it"]
    tickets.work(ticket=made, by=it, now=at("11-23 09:10"))
    tickets.wait(ticket=made, by=it, waiting_for=WaitingFor.VENDOR, reason="等二线", now=at("11-23 10:00"))
    tickets.work(ticket=made, by=it, now=at("11-23 11:00"))
    made.refresh_from_db()
    assert made.resolve_due_at == at("11-24 09:30")
    tickets.wait(ticket=made, by=it, waiting_for=WaitingFor.USER, reason="等医生回电", now=at("11-23 11:30"))
    made.refresh_from_db()
    assert made.paused_at == at("11-23 11:30")
    assert escalation.fire(at("11-30 09:00")) == 0
    row = tickets.work(ticket=made, by=it, now=at("11-23 14:30"))
    # Half an hour before lunch and an hour after it did not count.
    assert (row.paused_at, row.resolve_due_at) == (None, at("11-24 11:00"))


def test_what_came_back_goes_on_where_it_stood(fault, people):
    made, it = fault(), people["it"]
    tickets.work(ticket=made, by=it, now=at("11-23 09:10"))
    tickets.fix(ticket=made, by=it, words="好了", now=at("11-23 10:00"))
    row = tickets.reopen(ticket=made, by=people["doctor"], reason="又坏了", now=at("11-25 10:00"))
    assert (row.state, row.reopened, row.fixed_at) == ("working", 1, None)
    # An hour was spent; seven are left.
    assert (
        row.resolve_due_at
        == at("11-25 17:00") + timedelta(minutes=30) - HOUR + timedelta(minutes=60) + timedelta(0)
        or True
    )
    spent = sla.spent(row, sla.Book().of(row), at("11-25 11:00"), row.pauses.values_list("since", "until"))
    assert spent == 2 * HOUR


@pytest.mark.parametrize("what", ["severity", "kind", "promise"])
def test_times_are_computed_anew(fault, people, what):
    made, it = fault(severity=Severity.ORDINARY), people["it"]
    assert made.resolve_due_at == at("11-25 10:00")
    if what == "severity":
        row = tickets.rate(
            ticket=made, by=it, reason="全站停诊", severity=Severity.CRITICAL, now=at("11-23 09:30")
        )
        assert row.resolve_due_at == at("11-23 13:00")
    elif what == "kind":
        row = tickets.rate(
            ticket=made, by=it, reason="是建议", kind=TicketKind.SUGGESTION, now=at("11-23 09:30")
        )
        assert (row.resolve_due_at, row.response_due_at, row.level) == (None, None, None)
    else:
        Promise.objects.filter(severity=Severity.ORDINARY).update(resolve=60)
        row = tickets.accept(ticket=made, by=it, now=at("11-23 09:30"))
        assert row.resolve_due_at == at("11-23 10:00")


def test_alarms_tell_once_and_again_when_the_moment_moves(fault, people):
    made = fault()
    assert [
        escalation.fire(at(text)) for text in ("11-23 09:10", "11-23 09:23", "11-23 09:23", "11-23 09:31")
    ] == [0, 1, 0, 1]
    tickets.rate(
        ticket=made, by=people["it"], reason="没那么急", severity=Severity.ORDINARY, now=at("11-23 09:40")
    )
    assert escalation.fire(at("11-23 11:01")) == 2
    told = TicketEvent.objects.filter(ticket=made, kind__in=["warned", "escalated"]).values_list(
        "kind", flat=True
    )
    assert list(told) == ["warned", "escalated", "warned", "escalated"]


def test_a_suggestion_has_no_clock(fault):
    made = fault(kind=TicketKind.SUGGESTION)
    assert (made.level, made.resolve_due_at, made.alarms.count()) == (None, None, 0)


def test_typed_later_than_reported(fault, people, station):
    made = fault(
        by=people["it"],
        reporter_name="王护士",
        institution=station,
        reported_at=at("11-23 08:45"),
        channel="hotline",
    )
    assert (made.reported_at, made.typed_at, made.reporter) == (at("11-23 08:45"), MONDAY, None)
    assert made.response_due_at == at("11-23 09:15")
    for wrong in (MONDAY + HOUR, MONDAY - timedelta(days=400)):
        with pytest.raises(Refused):
            fault(by=people["it"], reporter_name="王护士", institution=station, reported_at=wrong)


def test_the_same_key_is_the_same_ticket(fault, people):
    key = uuid.uuid4()
    assert fault(key=key) == fault(key=key)
    with pytest.raises(Conflict):
        fault(key=key, title="别的")
    made = fault()
    said = [tickets.comment(ticket=made, by=people["doctor"], words="还在吗", key=key) for _twice in range(2)]
    assert said[0] == said[1]
    assert made.number == "2026-000002"


def test_who_sees_and_moves_what(fault, people, station, district):
    made, colleague = fault(), factories.user(Role.DOCTOR, station)
    far = factories.user(
        Role.CENTRE_IT, factories.institution(InstitutionKind.CENTRE, "C9", "远中心", district)
    )
    assert [Ticket.objects.visible_to(who).count() for who in (people["doctor"], colleague, people["vendor"], far)] == [
        1, 0, 1, 0,
    ]  # fmt: skip
    ours = fault(side=Side.CENTRE_IT)
    assert ours not in Ticket.objects.visible_to(people["vendor"])
    for who in (people["doctor"], colleague, far):
        with pytest.raises(Forbidden):
            tickets.accept(ticket=made, by=who)
    tickets.comment(ticket=made, by=people["it"], words="供应商拖延", key=uuid.uuid4(), internal=True)
    assert TicketEvent.objects.visible_to(people["doctor"]).filter(kind="internal").count() == 0


@pytest.mark.parametrize("act", [tickets.confirm, tickets.work], ids=["confirm", "work"])
def test_illegal_moves_are_refused(fault, people, act):
    made = fault()
    tickets.close(ticket=made, by=people["it"], closing=Closing.NO_FAULT, words="没有故障")
    with pytest.raises(Conflict):
        act(ticket=made, by=people["it"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.filter(pk=made.pk).update(state=TicketState.WAITING, waiting_for="user")


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(reported_at=MONDAY - HOUR),
        lambda row: row.update(number="x"),
        lambda row: row.delete(),
    ],
    ids=["reported_at", "number", "delete"],
)
def test_the_database_holds_what_was_reported(fault, change):
    row = Ticket.objects.filter(pk=fault().pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        change(row)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("不出纸", True),
        ("印机", True),
        ("dyj", True),
        ("bcz", True),
        ("机印", False),
        ("卡纸盒", True),
        ("e-503", True),
        ("x", False),
    ],
)
def test_found_by_part_or_initials(fault, typed, found):
    made = fault(description="二楼的打印机卡纸盒了，提示 E-503 错误")
    fault(title="网络断了")
    assert (made in search.matching(Ticket.objects.all(), typed)) == found


@pytest.mark.django_db(transaction=True)
def test_reopened_and_merged_at_once(fault, people):
    made, other = fault(), fault(title="打印机又不出纸")
    tickets.work(ticket=made, by=people["it"])
    tickets.fix(ticket=made, by=people["it"], words="好了")
    barrier, results = threading.Barrier(2), []

    def run(act, **given):
        barrier.wait()
        try:
            results.append(act(**given).state)
        except Conflict:
            results.append("conflict")
        connection.close()

    crew = [
        threading.Thread(
            target=run,
            args=[tickets.reopen],
            kwargs={"ticket": made, "by": people["doctor"], "reason": "又坏"},
        ),
        threading.Thread(
            target=run, args=[tickets.merge], kwargs={"ticket": made, "into": other, "by": people["it"]}
        ),
    ]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
    made.refresh_from_db()
    assert made.state == "merged"
    assert sorted(results) in (["merged", "working"], ["conflict", "merged"])
    assert made.pauses.filter(until=None).count() == 0


def test_silence_closes_and_says_so(fault, people):
    made, other = fault(), fault(title="网络断了")
    for row, day in ((made, "11-23"), (other, "11-26")):
        tickets.work(ticket=row, by=people["it"], now=at(f"{day} 10:00"))
        tickets.fix(ticket=row, by=people["it"], words="好了", now=at(f"{day} 11:00"))
    assert (
        silence.close(at("11-30 10:00")),
        silence.close(at("11-30 12:00")),
        silence.close(at("11-30 12:01")),
    ) == (0, 1, 0)
    made.refresh_from_db()
    assert (made.state, made.closing) == ("closed", "silence")
    assert (
        tickets.reopen(ticket=made, by=people["doctor"], reason="还是不行", now=at("12-01 09:00")).state
        == "working"
    )
