"""The way of a referral: sent, received, sent back; refused, ended, expired. Whatever is out of turn is refused."""

import uuid
from datetime import date, timedelta

import psycopg2
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from clinic.codes import Act, InstitutionKind, LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AccessGrant, AuditEntry, Institution, Resident
from emr import jobs
from emr.actions import filings, referrals, visits
from emr.codes import EncounterStatus, FilingState, ReferralDirection, ReferralState
from emr.models import Encounter, InsuranceFiling, Referral
from emr.models.referral import MOVES
from emr.referring.numbers import take_number
from tests import factories
from tests.emr.test_races import at_once, codes

pytestmark = pytest.mark.django_db
SHEET = {
    "impression": "高血压3级",
    "present_illness": "血压控制不佳，头晕加重。",
    "past_history": "高血压10年。",
}
BACK = {
    "return_diagnosis": "高血压3级（极高危）",
    "return_course": "调整降压药，两周复查。",
    "return_doctor": "赵敏",
}
ENDS = {
    "accept": {}, "reject": {"reason": "无床位"}, "terminate": {"reason": "患者不去了"}, "send_back": {"sheet": BACK},
}  # fmt: skip


def send(doctor, resident, where=None, key=None, encounter=None, **sheet):
    place = {"to_institution": where} if where else {"to_name": "协和医院"}
    return referrals.refer(
        resident=resident, encounter=encounter, by=doctor, key=key or uuid.uuid4(),
        sheet={**SHEET, **place, **sheet},
    )  # fmt: skip


@pytest.fixture
def sent(doctor, resident, other_station):
    """The doctor has referred the resident to the other station."""
    return send(doctor, resident, other_station)


@pytest.fixture
def outside(doctor, resident):
    return send(doctor, resident)


@pytest.fixture
def accepted(sent, stranger):
    return referrals.accept(referral=sent, by=stranger)


@pytest.fixture
def overdue(doctor, resident, other_station, settings):
    settings.REFERRAL_DAYS = -1
    return send(doctor, resident, other_station)


def refused(code, act, **facts):
    with pytest.raises(Refused) as refusal:
        act(**facts)
    assert refusal.value.code == code
    return refusal.value


def state_of(row):
    return Referral.objects.get(pk=row.pk).state


def test_what_is_sent_stands_as_it_was_that_day(sent, doctor, resident, other_station, settings):
    assert (sent.state, sent.doctor_name, sent.to_name) == (
        ReferralState.PENDING,
        doctor.name,
        other_station.name,
    )
    assert sent.person["name"] == resident.name
    assert sent.due_on == timezone.localdate() + timedelta(days=settings.REFERRAL_DAYS)
    assert sent.number == f"ZZ-{timezone.localdate():%Y%m%d}-0001"
    assert AuditEntry.objects.filter(
        act=Act.REFER, object_id=str(sent.uuid), username=doctor.username
    ).exists()


def test_numbers_count_on_per_day_and_grow_past_9999(db):
    day = date(2026, 11, 23)
    assert [take_number(day) for _n in range(2)] == ["ZZ-20261123-0001", "ZZ-20261123-0002"]
    assert take_number(date(2026, 11, 24)) == "ZZ-20261124-0001"


def test_the_same_key_is_the_same_referral(doctor, resident, other_station):
    key = uuid.uuid4()
    rows = [send(doctor, resident, other_station, key=key) for _click in range(2)]
    assert rows[0] == rows[1]
    refused("key", send, doctor=doctor, resident=resident, where=other_station, key=key, impression="别的")
    assert Referral.objects.count() == 1


@pytest.mark.parametrize(
    ("sheet", "code"),
    [
        ({"impression": " "}, "sheet"),
        ({"present_illness": ""}, "sheet"),
        ({"to_name": ""}, "to"),
        ({"impression": "a\x00b"}, "sheet"),
        ({"impression": "\ud800"}, "sheet"),
        ({"impression": "长" * 40_001}, "sheet"),
        ({"to_doctor": "长" * 61}, "sheet"),
        ({"past_history": ["x"]}, "sheet"),
    ],
)
def test_a_form_that_cannot_be_sent_says_which_box(doctor, resident, sheet, code):
    refusal = refused(code, send, doctor=doctor, resident=resident, **sheet)
    assert refusal.facts["field"] in sheet
    assert not Referral.objects.exists()


def test_odd_text_is_kept_as_it_is(doctor, resident, other_station):
    text = "𠮷😀<script>alert(1)</script>&amp;" + "长" * 20_000
    assert (
        Referral.objects.get(pk=send(doctor, resident, other_station, impression=text).pk).impression == text
    )


def test_nobody_refers_to_oneself_to_the_office_or_to_a_closed_place(
    doctor, resident, district, other_station
):
    Institution.objects.filter(pk=other_station.pk).update(active=False)
    for where in (doctor.institution, district, other_station):
        refused("to", send, doctor=doctor, resident=resident, where=where)


def test_either_an_institution_or_a_hospitals_name(doctor, resident, other_station):
    refused("to", send, doctor=doctor, resident=resident, where=other_station, to_name="协和医院")


@pytest.mark.parametrize(
    ("sender", "receiver", "way"),
    [
        ("centre", "station", ReferralDirection.DOWN),
        ("station", "centre", ReferralDirection.UP),
        ("station", "station", ReferralDirection.UP),
        ("centre", "centre", ReferralDirection.UP),
    ],
)
def test_the_way_follows_the_kinds_of_institutions(request, db, sender, receiver, way):
    there = {"station": "other_station", "centre": "other_centre"}[receiver]
    where = request.getfixturevalue(sender)
    doctor = factories.user(Role.DOCTOR, where)
    person = factories.resident(where)
    assert send(doctor, person, request.getfixturevalue(there)).direction == way
    assert send(doctor, person, request.getfixturevalue(there), direction="down").direction == "down"


def test_a_stranger_opens_the_record_before_referring(stranger, resident, station):
    refused("grant", send, doctor=stranger, resident=resident, where=station)


def test_the_dead_and_cancelled_visits_are_not_referred(doctor, resident, encounter, other_station):
    Encounter.objects.filter(pk=encounter.pk).update(status=EncounterStatus.CANCELLED, cancel_reason="走了")
    facts = {"doctor": doctor, "resident": resident, "where": other_station}
    refused("state", send, **facts, encounter=encounter)
    Resident.objects.filter(pk=resident.pk).update(life_state=LifeState.DECEASED)
    refused("deceased", send, **facts)


def test_a_repeated_request_is_answered_as_the_first_time(doctor, resident, encounter, other_station):
    facts = {"where": other_station, "encounter": encounter, "key": uuid.uuid4()}
    first = send(doctor, resident, **facts)
    Encounter.objects.filter(pk=encounter.pk).update(status=EncounterStatus.CANCELLED, cancel_reason="走了")
    Resident.objects.filter(pk=resident.pk).update(life_state=LifeState.DECEASED)
    assert send(doctor, resident, **facts) == first


def test_another_institutions_visit_is_not_the_place_to_refer_from(stranger, encounter, station, resident):
    AccessGrant.objects.create(user=stranger, resident=resident, reason="会诊")
    refused("elsewhere", send, doctor=stranger, resident=resident, where=station, encounter=encounter)


def test_who_receives_may_open_the_record_with_the_referral_as_the_reason(accepted, stranger, resident):
    assert (accepted.state, accepted.accepted_by) == (ReferralState.ACCEPTED, stranger)
    assert Resident.objects.visible_to(stranger).filter(pk=resident.pk).exists()
    assert accepted.number in AccessGrant.objects.get(user=stranger).reason
    assert AuditEntry.objects.filter(act=Act.GRANT, username=stranger.username).exists()


def test_from_sending_to_return(accepted, stranger):
    row = referrals.send_back(referral=accepted, by=stranger, sheet=BACK)
    kept = Referral.objects.get(pk=row.pk)
    assert (kept.state, kept.return_course, kept.closed_by) == (
        ReferralState.RETURNED, BACK["return_course"], stranger,
    )  # fmt: skip
    assert kept.history.count() == 3


@pytest.mark.parametrize(("act", "who"), [("reject", "stranger"), ("terminate", "doctor")])
def test_an_end_wants_a_reason(request, sent, act, who):
    by = request.getfixturevalue(who)
    refused("reason", getattr(referrals, act), referral=sent, by=by, reason=" \n")
    row = getattr(referrals, act)(referral=sent, by=by, reason="无床位")
    assert (row.reason, row.closed_by) == ("无床位", by)


def test_the_sender_may_end_it_after_it_was_received(accepted, colleague):
    assert (
        referrals.terminate(referral=accepted, by=colleague, reason="已好转").state
        == ReferralState.TERMINATED
    )


@pytest.mark.parametrize("act", ENDS)
@pytest.mark.parametrize("who", ["nurse", "manager", "outsider"])
def test_others_move_nothing(request, sent, other_centre, act, who):
    far = factories.institution(InstitutionKind.STATION, "S0202", "地坛社区卫生服务站", other_centre)
    by = factories.user(Role.DOCTOR, far) if who == "outsider" else request.getfixturevalue(who)
    with pytest.raises(Forbidden):
        getattr(referrals, act)(referral=sent, by=by, **ENDS[act])
    assert state_of(sent) == ReferralState.PENDING
    assert AuditEntry.objects.filter(
        act=Act.REFUSED, username=by.username, detail__referral__isnull=False
    ).exists()


def test_the_sender_does_not_answer_for_another_institution(sent, doctor):
    for act in ("accept", "reject", "send_back"):
        refused("receiver", getattr(referrals, act), referral=sent, by=doctor, **ENDS[act])


def test_the_receiver_does_not_end_what_others_sent(sent, stranger):
    refused("sender", referrals.terminate, referral=sent, by=stranger, reason="不收")


@pytest.mark.parametrize("act", ENDS)
@pytest.mark.parametrize("end", ["send_back", "reject", "terminate"])
def test_what_is_over_stays_over(request, sent, stranger, doctor, act, end):
    who = {"terminate": doctor}
    if end == "send_back":
        referrals.accept(referral=sent, by=stranger)
    getattr(referrals, end)(referral=sent, by=who.get(end, stranger), **ENDS[end])
    over = state_of(sent)
    with pytest.raises(Conflict):
        getattr(referrals, act)(referral=sent, by=who.get(act, stranger), **ENDS[act])
    assert state_of(sent) == over


def test_a_second_acceptance_names_the_first(accepted, stranger):
    assert stranger.name in refused("state", referrals.accept, referral=accepted, by=stranger).message


def test_nothing_is_returned_before_it_was_received(sent, stranger):
    refused("state", referrals.send_back, referral=sent, by=stranger, sheet=BACK)


@pytest.mark.parametrize("act", ENDS)
def test_past_its_day_it_counts_as_expired_before_the_job_came(overdue, stranger, doctor, act):
    by = doctor if act == "terminate" else stranger
    refused("state", getattr(referrals, act), referral=overdue, by=by, **ENDS[act])
    assert (state_of(overdue), overdue.state_now) == (ReferralState.PENDING, ReferralState.EXPIRED)


def test_the_job_expires_what_nobody_answered(overdue, resident, doctor, other_station, settings):
    settings.REFERRAL_DAYS = 0
    today = send(doctor, resident, other_station)
    assert (jobs.expire_referrals.func(), jobs.expire_referrals.func()) == (1, 0)
    assert (state_of(overdue), state_of(today)) == (ReferralState.EXPIRED, ReferralState.PENDING)


def test_what_expires_need_not_be_filed_any_more(doctor, resident, other_station, settings):
    resident.insurance, settings.REFERRAL_DAYS = "resident_senior", -1
    resident.save()
    row = send(doctor, resident, other_station)
    assert row.filing.state == FilingState.TO_DO
    jobs.expire_referrals.func()
    assert InsuranceFiling.objects.get(referral=row).state == FilingState.CANCELLED


def test_for_a_hospital_outside_the_sender_writes_down_what_the_paper_says(outside, doctor, colleague):
    refused("sheet", referrals.send_back, referral=outside, by=doctor, sheet={**BACK, "return_course": " "})
    assert state_of(outside) == ReferralState.PENDING
    row = referrals.send_back(referral=outside, by=colleague, sheet=BACK)
    assert (row.state, row.accepted_by) == (ReferralState.RETURNED, colleague)


def test_the_visit_starts_from_the_referral_where_the_record_is_not_open(accepted, other_station):
    colleague = factories.user(Role.DOCTOR, other_station)
    visit = referrals.start_visit(referral=accepted, by=colleague)
    assert (visit.doctor, visit.institution) == (colleague, other_station)
    assert AccessGrant.objects.filter(user=colleague, reason__contains=accepted.number).exists()


def test_a_nurse_starts_no_visit_from_it(accepted, other_station):
    nurse = factories.user(Role.NURSE, other_station)
    refused("role", referrals.start_visit, referral=accepted, by=nurse)


@pytest.mark.parametrize(("who", "code"), [("stranger", 200), ("doctor", 302)])
def test_the_return_form_is_for_who_may_send_it(request, client, accepted, who, code):
    client.force_login(request.getfixturevalue(who))
    assert client.get(f"/referrals/{accepted.uuid}/return").status_code == code


def test_a_cancelled_visit_is_not_what_the_referral_led_to(client, accepted, stranger):
    visit = referrals.start_visit(referral=accepted, by=stranger)
    visits.cancel(encounter=visit, by=stranger, reason="走错了")
    again = referrals.start_visit(referral=accepted, by=stranger)
    client.force_login(stranger)
    html = client.get(f"/referrals/{accepted.uuid}").content.decode()
    assert f"/visits/{again.uuid}/" in html
    assert f"/visits/{visit.uuid}/" not in html


def test_no_visit_starts_from_what_was_not_received(sent, stranger, doctor):
    refused("state", referrals.start_visit, referral=sent, by=stranger)
    referrals.accept(referral=sent, by=stranger)
    refused("receiver", referrals.start_visit, referral=sent, by=doctor)


def test_insurance_never_holds_up_a_referral(doctor, resident, other_station, monkeypatch):
    resident.insurance = "resident_senior"
    resident.save()

    def fail(**facts):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    monkeypatch.setattr(filings, "open_filing", fail)
    monkeypatch.setattr(filings, "cancel_filing", fail)
    row = send(doctor, resident, other_station)
    assert (row.group, state_of(row)) == ("old", ReferralState.PENDING)
    assert referrals.terminate(referral=row, by=doctor, reason="患者不去了").state == ReferralState.TERMINATED


@pytest.mark.parametrize(("insurance", "calls"), [("resident_senior", ["open", "cancel"]), ("employee", [])])
def test_insurance_hears_of_the_old_and_the_young_only(
    doctor, stranger, resident, other_station, monkeypatch, insurance, calls
):
    heard = []
    monkeypatch.setattr(filings, "open_filing", lambda **facts: heard.append("open"))
    monkeypatch.setattr(filings, "cancel_filing", lambda **facts: heard.append("cancel"))
    resident.insurance = insurance
    resident.save()
    referrals.reject(referral=send(doctor, resident, other_station), by=stranger, reason="无床位")
    assert heard == calls


# What the database holds by itself ------------------------------------------------------------------------


def by_hand(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.mark.parametrize(
    "column", ["impression", "person", "number", "to_name", "due_on", "sent_at", "doctor_name"]
)
def test_a_sent_form_never_changes(sent, column):
    value = {"person": "{}", "due_on": "2030-01-01", "sent_at": "2020-01-01"}.get(column, "改")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        by_hand(f"UPDATE emr_referral SET {column} = %s WHERE id = %s", value, sent.pk)


def test_the_app_may_not_delete_a_referral(sent):
    with pytest.raises(DatabaseError), transaction.atomic():
        by_hand("DELETE FROM emr_referral WHERE id = %s", sent.pk)


@pytest.mark.django_db(transaction=True)
def test_no_session_setting_opens_the_trigger_to_the_owner(sent, as_owner):
    as_owner.execute("SET pgtrigger.ignore = '{emr_referral:emr_referral_hold}'")
    with pytest.raises(psycopg2.IntegrityError, match="never deleted"):
        as_owner.execute("DELETE FROM emr_referral")


@pytest.mark.parametrize("end", [state for state in ReferralState.values if state != "expired"])
@pytest.mark.parametrize("start", ["pending", "accepted", "rejected"])
def test_the_database_knows_the_same_moves(sent, stranger, start, end):
    if start != "pending":
        {"accepted": referrals.accept, "rejected": referrals.reject}[start](
            referral=sent, by=stranger, **({"reason": "无床位"} if start == "rejected" else {})
        )
    facts = {"state": end}
    if end == "accepted":
        facts |= {"accepted_at": timezone.now(), "accepted_by_id": stranger.pk}
    elif end != "pending":
        facts |= {"closed_at": timezone.now(), "closed_by_id": stranger.pk}
        facts |= {"return_diagnosis": "甲", "return_course": "乙"} if end == "returned" else {"reason": "丙"}
    sets = ", ".join(f"{name} = %s" for name in facts)
    legal = end in MOVES.get(ReferralState(start), ())
    try:
        with transaction.atomic():
            by_hand(f"UPDATE emr_referral SET {sets} WHERE id = %s", *facts.values(), sent.pk)
    except IntegrityError:
        assert not legal
    else:
        assert legal


FORGED = {
    "yesterday's acceptance": "state='accepted', accepted_by_id=%(who)s, accepted_at=now() - interval '1 day'",
    "an acceptance by nobody": "state='accepted', accepted_at=now()",
    "an end without a reason": "state='rejected', closed_by_id=%(who)s, closed_at=now()",
    "a return form before the return": "state='accepted', accepted_by_id=%(who)s, accepted_at=now(), results='x'",
    "an early expiry": "state='expired', closed_at=now()",
    "a word without a move": "reason='x'",
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED)
def test_forged_moves_are_refused_by_the_database(sent, stranger, forged):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE emr_referral SET {FORGED[forged]} WHERE id = {sent.pk}", {"who": stranger.pk})


def test_a_late_acceptance_is_refused_by_the_database_too(overdue, stranger):
    with pytest.raises(IntegrityError, match="expires"), transaction.atomic():
        by_hand(
            "UPDATE emr_referral SET state='accepted', accepted_by_id=%s, accepted_at=now() WHERE id=%s",
            stranger.pk, overdue.pk,
        )  # fmt: skip


def test_a_return_form_is_written_once(accepted, stranger):
    referrals.send_back(referral=accepted, by=stranger, sheet=BACK)
    with pytest.raises(IntegrityError), transaction.atomic():
        by_hand("UPDATE emr_referral SET return_course = '改' WHERE id = %s", accepted.pk)


def test_a_referral_begins_as_sent_and_now(sent):
    for change in ({"state": "accepted"}, {"sent_at": timezone.now() - timedelta(days=2)}, {"results": "x"}):
        row = Referral.objects.get(pk=sent.pk)
        row.pk, row.uuid, row.key, row.number = None, uuid.uuid4(), uuid.uuid4(), str(uuid.uuid4())[:20]
        for name, value in change.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


# Two at once -----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_acceptance_and_termination_at_once(doctor, stranger, station, other_station):
    for number in range(10):
        row = send(doctor, factories.resident(station, f"居民{number}"), other_station)
        outcomes = at_once(
            lambda row=row: referrals.accept(referral=row, by=stranger),
            lambda row=row: referrals.terminate(referral=row, by=doctor, reason="不去了"),
        )
        # Either it was ended before it was received, or it was received and then ended: never both at once.
        assert codes(outcomes) in ([], ["state"])
        kept = Referral.objects.get(pk=row.pk)
        assert kept.state == ReferralState.TERMINATED
        assert (kept.accepted_at is not None) == (codes(outcomes) == [])


@pytest.mark.django_db(transaction=True)
def test_two_doctors_accept_at_once(doctor, stranger, station, other_station):
    other = factories.user(Role.DOCTOR, other_station, name="何静")
    for number in range(10):
        row = send(doctor, factories.resident(station, f"居民{number}"), other_station)
        outcomes = at_once(
            lambda row=row: referrals.accept(referral=row, by=stranger),
            lambda row=row: referrals.accept(referral=row, by=other),
        )
        assert codes(outcomes) == ["state"]
        assert AccessGrant.objects.filter(resident=row.resident).count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_senders_at_once_get_different_numbers(doctor, station, other_station):
    people = [factories.resident(station, f"居民{number}") for number in range(6)]
    rows = at_once(*(lambda who=who: send(doctor, who, other_station) for who in people))
    assert sorted(row.number[-4:] for row in rows) == [f"{number:04d}" for number in range(1, 7)]


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_send_one_referral(doctor, resident, other_station):
    key = uuid.uuid4()
    click = lambda: send(doctor, resident, other_station, key=key)  # noqa: E731
    assert len({row.pk for row in at_once(click, click)}) == 1


@pytest.mark.django_db(transaction=True)
def test_one_key_for_two_people_is_one_referral(doctor, station, other_station):
    key, people = uuid.uuid4(), [factories.resident(station, f"居民{n}") for n in range(2)]
    outcomes = at_once(*(lambda who=who: send(doctor, who, other_station, key=key) for who in people))
    assert codes(outcomes) == ["key"]
    assert Referral.objects.count() == 1
