"""The quiet visit: what a signed note asks for waits on its doctor's list, and nowhere else."""

import uuid
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.codes import Act, KeyPopulation
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry, KeyTag
from emr.actions import after_visit as actions
from emr.actions import signing
from emr.after_visits import education, notifiable, rules
from emr.codes import EncounterStatus, ItemState, Prompt
from emr.models import AfterVisitItem, Correction, Encounter, Note, Practice
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_races import at_once

pytestmark = pytest.mark.django_db
PRESSURE = {"systolic": "138", "diastolic": "86"}


def line(code, name, certainty="confirmed", system="icd10"):
    system = system if code else ""
    return {
        "system": system,
        "release": "",
        "code": code,
        "name": name,
        "certainty": certainty,
        "primary": False,
    }


PAIN = [line("R52.900", "疼痛")]  # no rule knows it
FLU = [line("J11.100", "流行性感冒")]


def sign(visit, by, **fields):
    """As the doctor signs it; the default asks for nothing."""
    fields = {"visit_kind": "return", "vitals": PRESSURE, "diagnoses": PAIN, **fields}
    Note.objects.filter(encounter=visit).update(**{**COMPLETE, **fields})
    version = Note.objects.get(encounter=visit).version
    return signing.sign(encounter=visit.uuid, key=uuid.uuid4(), version=version, by=by)


def prompts(**which):
    return sorted(AfterVisitItem.objects.filter(**which).values_list("prompt", flat=True))


def before(resident, doctor, days=10, **note):
    """A signed visit of former days."""
    visit = Encounter.objects.create(
        resident=resident, institution=doctor.institution, doctor=doctor, status=EncounterStatus.FINISHED,
        arrived_at=timezone.now() - timedelta(days=days),
    )  # fmt: skip
    return Note.objects.create(
        encounter=visit, author=doctor, signed_at=timezone.now(), signed_by=doctor, **note
    )


@pytest.fixture
def card(encounter, doctor):
    sign(encounter, doctor, diagnoses=FLU)
    return AfterVisitItem.objects.get(prompt=Prompt.INFECTIOUS)


class TestBloodPressure:
    @pytest.mark.parametrize(
        ("kind", "years", "vitals", "asked"),
        [
            ("first", 35, {}, True),
            ("first", 34, {}, False),
            ("return", 60, {}, False),
            ("first", 60, PRESSURE, False),
            ("first", 60, {"systolic": "138"}, True),
            ("first", 60, {"systolic": "拒测", "diastolic": "拒测"}, True),
        ],
    )
    def test_asked_of_first_visits_from_35_on(self, station, doctor, kind, years, vitals, asked):
        born = date(timezone.localdate().year - years, 1, 1)
        visit = factories.encounter(factories.resident(station, born=born), doctor)
        sign(visit, doctor, visit_kind=kind, vitals=vitals)
        assert prompts() == (["blood_pressure"] if asked else [])

    @pytest.mark.parametrize(("when", "asked"), [("this year", False), ("last year", True)])
    def test_once_a_calendar_year_is_enough(self, resident, encounter, doctor, when, asked):
        year = timezone.localtime().replace(month=1, day=1, hour=0, minute=0, second=0)
        days = (timezone.localtime() - year).days + (10 if when == "last year" else -1)
        before(resident, doctor, days, vitals=PRESSURE)
        sign(encounter, doctor, visit_kind="first", vitals={})
        assert prompts() == (["blood_pressure"] if asked else [])

    def test_an_absorbed_rows_notes_count(self, station, resident, encounter, doctor):
        absorbed = factories.resident(station, "张秀英")
        before(absorbed, doctor, 0, vitals=PRESSURE)
        type(absorbed).objects.filter(pk=absorbed.pk).update(merged_into=resident)
        sign(encounter, doctor, visit_kind="first", vitals={})
        assert prompts() == []


class TestInfectious:
    @pytest.mark.parametrize(
        ("code", "name", "disease", "hours"),
        [
            ("A20.900", "鼠疫", "鼠疫", 2), ("A22.100", "肺炭疽", "肺炭疽", 2), ("A22.000", "皮肤炭疽", "炭疽", 24),
            ("B01.900", "水痘", None, 0), ("B08.401", "手足口病", "手足口病", 24),
            ("L50.900", "荨麻疹", None, 0), ("", "荨麻疹", None, 0), ("", "麻疹？", "麻疹", 24),
            ("", "乙肝疫苗接种", None, 0), ("", "慢性乙肝", "病毒性肝炎", 24), ("Z22.500", "乙型肝炎病毒携带者", None, 0),
            ("", "陈旧性肺结核", None, 0), ("", "斑疹伤寒", "流行性和地方性斑疹伤寒", 24), ("A01.000", "伤寒", "伤寒和副伤寒", 24),
            ("A09.901", "急性胃肠炎", "其他感染性腹泻病", 24), ("K52.900", "非感染性腹泻", None, 0),
        ],
    )  # fmt: skip
    def test_the_list_knows_codes_and_words(self, code, name, disease, hours):
        found = notifiable.find(line(code, name))
        assert (found and found.name) == disease
        assert not found or found.term == timedelta(hours=hours)

    def test_a_tcm_term_of_the_same_name_is_another_disease(self):
        assert notifiable.find(line("A01", "霍乱", system="tcm_disease")) is None

    def test_the_card_is_prefilled_from_note_and_file(self, card, resident, doctor, station):
        facts = card.facts
        assert [facts[name] for name in ("name", "id_number", "phone", "birth_date")] == [
            resident.name, resident.id_number, resident.phone, "1958-03-07",
        ]  # fmt: skip
        assert [facts[name] for name in ("disease", "grade", "doctor", "unit", "case")] == [
            "流行性感冒", "丙", doctor.name, station.name, "confirmed",
        ]  # fmt: skip
        assert card.due_at - card.made_at == timedelta(hours=24)

    def test_a_suspected_case_is_reported_too(self, encounter, doctor):
        sign(encounter, doctor, diagnoses=[line("A15.000", "肺结核", "suspected")])
        assert AfterVisitItem.objects.get(prompt=Prompt.INFECTIOUS).facts["case"] == "suspected"

    def test_of_two_diseases_the_sooner_is_the_card_and_names_the_other(self, encounter, doctor):
        sign(encounter, doctor, diagnoses=[*FLU, line("A00.900", "霍乱")])
        item = AfterVisitItem.objects.get(prompt=Prompt.INFECTIOUS)
        assert (item.facts["disease"], item.facts["others"]) == ("霍乱", "流行性感冒")
        assert item.due_at - item.made_at == timedelta(hours=2)

    @pytest.mark.parametrize(
        ("code", "days", "state", "again"),
        [
            ("B18.100", 400, "open", False), ("B18.100", 400, "dismissed", False), ("J11.100", 10, "done", False),
            ("J11.100", 40, "done", True), ("J11.100", 10, "dismissed", True),
        ],
    )  # fmt: skip
    def test_one_case_is_one_card(self, resident, doctor, encounter, code, days, state, again):
        name = "病毒性肝炎" if code.startswith("B") else "流行性感冒"
        AfterVisitItem.objects.create(
            note=before(resident, doctor), resident=resident, doctor=doctor, institution=doctor.institution,
            prompt=Prompt.INFECTIOUS, facts={"disease": name}, made_at=timezone.now() - timedelta(days=days), state=state,
        )  # fmt: skip
        sign(encounter, doctor, diagnoses=[line(code, "x")])
        assert AfterVisitItem.objects.filter(note__encounter=encounter, prompt="infectious").exists() is again


class TestChronic:
    def test_hypertension_is_proposed_for_management(self, encounter, doctor):
        sign(encounter, doctor, diagnoses=[line("I10.x00x002", "高血压2级")])
        item = AfterVisitItem.objects.get(prompt=Prompt.CHRONIC)
        assert item.facts == {"tags": ["hypertension"], "disease": "高血压2级", "pressure": "138/86"}

    def test_who_is_tagged_is_managed_already(self, resident, encounter, doctor):
        KeyTag.objects.create(resident=resident, tag=KeyPopulation.DIABETES)
        sign(encounter, doctor, diagnoses=[line("E11.900", "2型糖尿病")])
        assert prompts(prompt=Prompt.CHRONIC) == []

    @pytest.mark.parametrize(
        "diagnosis",
        [line("I10.x00", "高血压", "suspected"), line("", "高血压病史"), line("", "妊娠期高血压"), line("E10.900", "1型糖尿病")],
    )  # fmt: skip
    def test_what_is_not_certain_or_another_is_not(self, encounter, doctor, diagnosis):
        sign(encounter, doctor, diagnoses=[diagnosis])
        assert prompts(prompt=Prompt.CHRONIC) == []

    @pytest.mark.parametrize(("days", "again"), [(10, False), (200, True)])
    def test_what_was_proposed_lately_is_not_proposed_again(self, resident, encounter, doctor, days, again):
        AfterVisitItem.objects.create(
            note=before(resident, doctor), resident=resident, doctor=doctor, institution=doctor.institution,
            prompt=Prompt.CHRONIC, facts={"tags": ["hypertension"]}, state=ItemState.DISMISSED,
            made_at=timezone.now() - timedelta(days=days),
        )  # fmt: skip
        sign(encounter, doctor, diagnoses=[line("I10.x00", "高血压")])
        found = AfterVisitItem.objects.filter(note__encounter=encounter, prompt=Prompt.CHRONIC)
        assert found.exists() is again

    def test_one_click_puts_the_resident_on_management(self, client, resident, encounter, doctor):
        KeyTag.objects.create(resident=resident, tag=KeyPopulation.DIABETES, until=timezone.localdate())
        sign(encounter, doctor, diagnoses=[line("I10.x00", "高血压"), line("E11.900", "2型糖尿病")])
        item = AfterVisitItem.objects.get(prompt=Prompt.CHRONIC)
        client.force_login(doctor)
        answer = client.post(f"/after-visit/{item.uuid}", {"act": "manage", "answer": "已建档，每季随访"})
        assert answer.status_code == 302
        tags = KeyTag.objects.filter(resident=resident, until=None).values_list("tag", flat=True)
        assert sorted(tags) == ["diabetes", "hypertension"]

    def test_management_elsewhere_is_refused_and_nothing_changes(
        self, client, resident, encounter, doctor, other_station
    ):
        sign(encounter, doctor, diagnoses=[line("I10.x00", "高血压")])
        type(resident).objects.filter(pk=resident.pk).update(home=other_station)
        item = AfterVisitItem.objects.get(prompt=Prompt.CHRONIC)
        client.force_login(doctor)
        assert client.post(f"/after-visit/{item.uuid}", {"act": "manage", "answer": "x"}).status_code == 400
        item.refresh_from_db()
        assert (item.state, KeyTag.objects.exists()) == (ItemState.OPEN, False)


class TestEducationAndFirmness:
    def test_a_text_goes_with_the_diagnosis(self, encounter, doctor):
        sign(encounter, doctor, diagnoses=[line("", "腰痛待查")])
        item = AfterVisitItem.objects.get(prompt=Prompt.EDUCATION)
        assert item.facts["group"] == "颈肩腰腿痛"
        assert "120" in education.find(line("I20.900", "心绞痛")).text

    def test_the_same_text_is_not_offered_twice(self, resident, encounter, doctor, another_visit):
        sign(encounter, doctor, diagnoses=[line("M54.500", "腰痛")])
        again = factories.encounter(resident, doctor)
        sign(again, doctor, diagnoses=[line("M54.500", "腰痛")])
        sign(another_visit, doctor, diagnoses=[line("M54.500", "腰痛")])
        assert AfterVisitItem.objects.filter(prompt=Prompt.EDUCATION).count() == 2

    @pytest.mark.parametrize(("firm", "asked"), [([], True), ([0], False), ([1], False)])
    def test_three_visits_without_a_firm_diagnosis(self, resident, encounter, doctor, firm, asked):
        for number in range(2):
            certainty = "confirmed" if number in firm else "suspected"
            before(resident, doctor, 5 + number, diagnoses=[line("R52.900", "疼痛", certainty)])
        sign(encounter, doctor, diagnoses=[line("", "疼痛原因待查", "suspected")])
        assert prompts(prompt=Prompt.NO_FIRM_DIAGNOSIS) == (["no_firm"] if asked else [])


class TestGathering:
    def test_an_ordinary_note_costs_nothing(self, encounter, doctor):
        note = Note(encounter=encounter, vitals=PRESSURE, diagnoses=PAIN, visit_kind="return")
        with CaptureQueriesContext(connection) as queries:
            assert rules.gather(note, encounter, doctor, timezone.now()) == []
        assert len(queries) == 0

    def test_a_rich_one_costs_two_statements_and_the_practice(self, encounter, doctor):
        Note.objects.filter(encounter=encounter).update(
            diagnoses=[*FLU, line("I10.x00", "高血压")], vitals={}
        )
        note, visit = Note.objects.get(encounter=encounter), Encounter.objects.get(pk=encounter.pk)
        visit.resident = encounter.resident
        with CaptureQueriesContext(connection) as queries:
            assert len(rules.gather(note, visit, doctor, timezone.now())) == 4
        assert len(queries) == 3

    def test_the_institution_switches_them_off(self, centre, encounter, doctor):
        Practice.objects.create(institution=centre, prompts={"infectious": False, "education": False})
        sign(encounter, doctor, diagnoses=FLU)
        assert prompts() == []

    @pytest.mark.parametrize(
        "odd",
        [
            {"vitals": []}, {"vitals": {"systolic": 5}}, {"diagnoses": [{"name": "流感", "code": None}]},
            {"diagnoses": [{"name": "x" * 200, "code": "A" * 30}]}, {"diagnoses": [{"name": "<b>流感</b>𠮷😀"}]},
        ],
    )  # fmt: skip
    def test_odd_notes_are_signed_all_the_same(self, encounter, doctor, odd):
        note = Note.objects.get(encounter=encounter)
        for name, value in {"visit_kind": "first", "vitals": {}, "diagnoses": FLU, **odd}.items():
            setattr(note, name, value)
        rules.gather(note, encounter, doctor, timezone.now())
        assert AfterVisitItem.objects.exists()

    def test_gathering_again_makes_nothing_twice(self, card, encounter, doctor):
        count = AfterVisitItem.objects.count()
        visit = Encounter.objects.select_related("resident__merged_into").get(pk=encounter.pk)
        rules.gather(Note.objects.get(encounter=visit), visit, doctor, timezone.now())
        assert AfterVisitItem.objects.count() == count


class TestPages:
    @pytest.fixture
    def get(self, client):
        def get(user, where="/after-visit"):
            client.force_login(user)
            return client.get(where)

        return get

    def test_what_is_due_first_stands_first(self, get, station, doctor, card):
        AfterVisitItem.objects.filter(pk=card.pk).update(due_at=timezone.now() - timedelta(minutes=1))
        plague = factories.encounter(factories.resident(station, name="王某"), doctor)
        sign(plague, doctor, diagnoses=[line("A20.900", "鼠疫")])
        items = get(doctor).context["items"]
        assert [item.subject for item in items[:2]] == ["流行性感冒", "鼠疫"]
        assert [item.overdue for item in items[:2]] == [True, False]
        assert items[-1].due_at is None

    def test_it_costs_few_queries_at_any_length(
        self, get, client, station, doctor, django_assert_max_num_queries
    ):
        for number in range(8):
            sign(
                factories.encounter(factories.resident(station, f"居民{number}"), doctor),
                doctor,
                diagnoses=FLU,
            )
        get(doctor)
        with django_assert_max_num_queries(3):
            assert len(client.get("/after-visit").context["items"]) == 16

    def test_the_home_page_counts_them(self, get, card, doctor, colleague):
        assert get(doctor, "/").context["duties"]["after_visit"] == 2
        assert get(colleague, "/").context["duties"]["after_visit"] == 0

    def test_only_its_doctor_finds_an_item(self, get, client, card, colleague, stranger, nurse, manager):
        where = f"/after-visit/{card.uuid}"
        assert {get(user, where).status_code for user in (colleague, stranger)} == {404}
        assert {get(user, where).status_code for user in (nurse, manager)} == {403}
        client.force_login(colleague)
        assert client.post(where, {"act": "done", "answer": "x"}).status_code == 404
        assert get(colleague).context["items"] == []

    def test_an_item_opens_prefilled_and_is_audited(self, get, card, doctor, resident):
        html = get(doctor, f"/after-visit/{card.uuid}").content.decode()
        assert resident.id_number in html
        assert AuditEntry.objects.filter(act=Act.VIEW, object_id=str(card.uuid)).exists()

    def test_it_is_changed_printed_and_done(self, client, card, doctor):
        client.force_login(doctor)
        where = f"/after-visit/{card.uuid}"
        data = {"disease": "流行性感冒", "case": "确诊病例", "phone": "13900000000", "act": "print"}
        assert client.post(where, data).headers["Location"] == f"{where}/print"
        assert "13900000000" in client.get(f"{where}/print").content.decode()
        assert client.post(where, {**data, "act": "done", "answer": "已网络直报"}).status_code == 302
        card.refresh_from_db()
        assert (card.state, card.answer, card.done_by) == (ItemState.DONE, "已网络直报", doctor)
        assert card.history.count() == 2
        assert card in client.get("/after-visit/done").context["items"]

    @pytest.mark.parametrize("act", ["done", "dismiss"])
    def test_without_a_word_it_stays_with_what_was_typed(self, client, card, doctor, act):
        client.force_login(doctor)
        answer = client.post(f"/after-visit/{card.uuid}", {"act": act, "phone": "139<b>𠮷</b>"})
        assert answer.status_code == 400
        assert "139&lt;b&gt;𠮷&lt;/b&gt;" in answer.content.decode()
        card.refresh_from_db()
        assert card.state == ItemState.OPEN

    @pytest.mark.parametrize("typed", ["a\x00b", "长" * 20_000])
    def test_what_cannot_be_stored_is_refused(self, client, card, doctor, typed):
        client.force_login(doctor)
        answer = client.post(f"/after-visit/{card.uuid}", {"act": "done", "answer": typed})
        assert answer.status_code == 400

    @pytest.mark.parametrize("page", ["-1", "x", "99999999999", "٣"])
    def test_odd_pages_are_the_first(self, get, card, doctor, page):
        assert card in get(doctor, f"/after-visit?page={page}").context["items"]


class TestSettling:
    def test_what_is_settled_never_changes(self, card, doctor):
        actions.dismiss(item=card, reason="已由区医院报告", by=doctor)
        with pytest.raises(Conflict):
            actions.finish(item=card, answer="x", by=doctor)
        with pytest.raises(Conflict):
            actions.edit(item=card, facts={}, by=doctor)
        with pytest.raises(IntegrityError), transaction.atomic():
            AfterVisitItem.objects.filter(pk=card.pk).update(answer="y")

    def test_the_same_again_is_the_same_row(self, card, doctor):
        first = actions.finish(item=card, answer="已报", by=doctor)
        assert actions.finish(item=card, answer="已报", by=doctor).done_at == first.done_at

    def test_nothing_is_deleted(self, card):
        with pytest.raises(ProgrammingError), transaction.atomic():
            AfterVisitItem.objects.filter(pk=card.pk).delete()

    def test_a_forged_settlement_is_refused(self, card, colleague, doctor):
        with pytest.raises(Forbidden):
            actions.finish(item=card, answer="x", by=colleague)
        with pytest.raises(Refused):
            actions.finish(item=card, answer="长" * 1001, by=doctor)


@pytest.mark.django_db(transaction=True)
def test_done_and_dismissed_at_once_one_is_told(station, doctor):
    for number in range(10):
        visit = factories.encounter(factories.resident(station, f"居民{number}"), doctor)
        sign(visit, doctor, diagnoses=FLU)
        card = AfterVisitItem.objects.get(note__encounter=visit, prompt=Prompt.INFECTIOUS)
        outcomes = at_once(
            lambda card=card: actions.finish(item=card, answer="已报", by=doctor),
            lambda card=card: actions.dismiss(item=card, reason="重复", by=doctor),
        )
        assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["closed"]


def correct(note, by, diagnoses):
    """A signed correction, as it stands in the database."""
    row = Correction.objects.create(
        note=note, number=1, author=by, reason="误诊", key=uuid.uuid4(), diagnoses=diagnoses
    )
    Correction.objects.filter(pk=row.pk).update(signed_at=timezone.now(), signed_by=by, signer=by.name)


@pytest.mark.parametrize(("now", "gone"), [(PAIN, True), (FLU, False)])
def test_a_corrected_note_says_so_and_the_item_stays(client, card, doctor, now, gone):
    correct(card.note, doctor, now)
    client.force_login(doctor)
    found = next(item for item in client.get("/after-visit").context["items"] if item == card)
    assert (found.corrected, found.gone) == (True, gone)
    assert client.get(f"/after-visit/{card.uuid}").context["item"].corrected
