"""封存: sealed with both parties present, never changed, unsealed once; the original goes on."""

import hashlib
import json
import uuid

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act, IdType
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry, Resident
from emr import papers
from emr.actions import papers as actions
from emr.codes import ChangeKind, EncounterStatus, Relation
from emr.models import Correction, Encounter, Note, SealedCopy
from emr.papers import Person
from emr.sealing import keys as seal_keys
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_races import at_once, codes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.SEAL_KEYS, settings.ANCHORS = tmp_path / "keys", tmp_path / "anchors"


def sign(visit, doctor):
    """A signature without the ceremony around it, and the visit's end."""
    Note.objects.filter(encounter=visit).update(
        signed_at=timezone.now(), signed_by=doctor, signer=doctor.name, signer_title="主治医师"
    )
    Encounter.objects.filter(pk=visit.pk).update(status=EncounterStatus.FINISHED)
    return Encounter.objects.select_related("note").get(pk=visit.pk)


def correct(visit, doctor, text, *, signed=True):
    """A correction: the row as signing leaves it, or a draft."""
    number = visit.note.corrections.count() + 1
    made = Correction.objects.create(
        note=visit.note, number=number, kind=ChangeKind.CORRECT, reason="笔误", key=uuid.uuid4(), author=doctor,
        **{**COMPLETE, "treatment": text},
    )  # fmt: skip
    if signed:
        made.signed_at, made.signed_by, made.signer = timezone.now(), doctor, doctor.name
        made.save(update_fields=["signed_at", "signed_by", "signer"])
    return made


@pytest.fixture
def visit(resident, doctor):
    return sign(factories.encounter(resident, doctor, **COMPLETE), doctor)


@pytest.fixture
def daughter():
    return Person("张小红", Relation.AGENT, IdType.RESIDENT, factories.id_number())


@pytest.fixture
def asked(manager, resident, visit, daughter):
    """What the manager fills in, ready to be changed."""
    return {
        "resident": resident, "visits": [visit.uuid], "hospital_party": "吴卫东", "patient": daughter,
        "reason": "医患双方对诊疗有争议", "medium": "U盘", "location": "病案室铁柜3", "key": uuid.uuid4(), "by": manager,
    }  # fmt: skip


def seal(asked, **other):
    return actions.seal_copy(**{**asked, **other})


def refused_by_database(why, sql, *parameters):
    with pytest.raises(Error, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)


class TestSealing:
    def test_holds_every_version_with_its_hash_and_signature(self, asked, visit, doctor):
        correct(visit, doctor, "改为卧床休息")
        row = seal(asked)
        versions = json.loads(row.content)["visits"][0]["versions"]
        assert [one["text"]["treatment"] for one in versions] == ["多饮水，休息。", "改为卧床休息"]
        assert row.sha256 == hashlib.sha256(row.content.encode()).hexdigest()
        assert seal_keys.check(row.key_id, row.content.encode(), row.signature)

    def test_names_both_parties_in_row_and_content(self, asked, daughter):
        row = seal(asked)
        occasion = json.loads(row.content)["occasion"]
        assert (row.hospital_party, row.patient_party, row.relation) == ("吴卫东", "张小红", Relation.AGENT)
        assert (occasion["patient_party"], occasion["id_number"]) == ("张小红", daughter.id_number)

    def test_numbers_of_a_day_count_up(self, asked):
        today = f"{timezone.localdate():%Y%m%d}"
        numbers = [seal(asked, key=uuid.uuid4()).number for _n in range(2)]
        assert numbers == [f"FC-{today}-001", f"FC-{today}-002"]

    def test_an_unfinished_note_is_sealed_as_it_stands(self, asked, doctor, resident, visit):
        draft = factories.encounter(resident, doctor, chief_complaint="头晕")
        row = seal(asked, visits=[visit.uuid, draft.uuid])
        assert [item["state"] for item in row.items] == ["signed", "draft"]
        assert json.loads(row.content)["visits"][1]["versions"][0]["text"]["chief_complaint"] == "头晕"

    def test_a_correction_being_written_is_sealed_too(self, asked, visit, doctor):
        correct(visit, doctor, "写到一半", signed=False)
        row = seal(asked)
        assert row.items[0]["state"] == "open"
        assert "写到一半" in row.content

    def test_the_original_goes_on_and_the_copy_stays(self, asked, visit, doctor):
        row = seal(asked)
        correct(visit, doctor, "后来改的")
        row.refresh_from_db()
        assert "后来改的" not in row.content
        assert papers.is_unchanged(row) is True

    def test_is_in_the_trail(self, asked, manager):
        row = seal(asked)
        entry = AuditEntry.objects.get(act=Act.SEAL_COPY)
        assert (entry.username, entry.object_id) == (manager.username, str(row.uuid))
        assert entry.detail["number"] == row.number

    def test_the_same_request_again_is_the_same_copy(self, asked):
        assert seal(asked) == seal(asked)
        assert AuditEntry.objects.filter(act=Act.SEAL_COPY).count() == 1

    def test_the_same_key_for_something_else_is_refused(self, asked):
        seal(asked)
        with pytest.raises(Refused) as refusal:
            seal(asked, reason="别的原因")
        assert refusal.value.code == "key"

    def test_what_changed_since_it_was_shown_is_shown_again(self, asked, visit, doctor):
        seen = papers.digest(papers.canonical(papers.record([visit], unfinished=True)))
        correct(visit, doctor, "刚刚改的")
        with pytest.raises(Conflict) as refusal:
            seal(asked, seen=seen)
        assert refusal.value.code == "changed"
        assert not SealedCopy.objects.exists()

    def test_rows_of_a_merged_file_are_one_file(self, asked, resident, station, doctor):
        other = factories.resident(station, id_number="")
        theirs = sign(factories.encounter(other, doctor, **COMPLETE), doctor)
        Resident.objects.filter(pk=other.pk).update(merged_into=resident)
        assert seal(asked, visits=[theirs.uuid]).resident == resident


class TestRefusals:
    @pytest.mark.parametrize("who", ["doctor", "assistant", "nurse", "clerk"])
    def test_it_is_the_medical_administrations_act(self, asked, who, request):
        with pytest.raises(Forbidden):
            seal(asked, by=request.getfixturevalue(who))

    def test_another_centres_manager_does_not_find_the_resident(self, asked, other_centre):
        with pytest.raises(Resident.DoesNotExist):
            seal(asked, by=factories.user("manager", other_centre))

    def test_visits_of_somebody_else_are_refused(self, asked, station, doctor):
        other = sign(factories.encounter(factories.resident(station, "刘建国"), doctor, **COMPLETE), doctor)
        with pytest.raises(Refused) as refusal:
            seal(asked, visits=[*asked["visits"], other.uuid])
        assert refusal.value.facts["field"] == "visits"

    def test_visits_kept_by_another_centre_are_refused(self, asked, resident, stranger):
        away = sign(factories.encounter(resident, stranger, **COMPLETE), stranger)
        with pytest.raises(Refused):
            seal(asked, visits=[away.uuid])

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("visits", []), ("hospital_party", " "), ("reason", ""), ("medium", ""), ("location", "长" * 101),
            ("reason", "坏\x00字"), ("reason", "\ud800"),
        ],
    )  # fmt: skip
    def test_what_is_missing_or_misshapen_is_said_at_its_field(self, asked, field, value):
        with pytest.raises(Refused) as refusal:
            seal(asked, **{field: value})
        assert refusal.value.facts["field"] == field
        assert not SealedCopy.objects.exists()

    @pytest.mark.parametrize(
        ("number", "id_type"),
        [("110101195803070025", "01"), ("", "01"), ("12", "04"), ("110101195803070024", "77")],
    )
    def test_papers_are_checked(self, asked, number, id_type):
        with pytest.raises(Refused) as refusal:
            seal(asked, patient=Person("张小红", Relation.AGENT, id_type, number))
        assert refusal.value.facts["field"] in {"id_number", "id_type"}

    def test_the_patients_own_number_must_be_theirs(self, asked, daughter):
        with pytest.raises(Refused) as refusal:
            seal(asked, patient=Person("张秀英", Relation.SELF, IdType.RESIDENT, daughter.id_number))
        assert refusal.value.code == "not-own"

    def test_odd_but_lawful_signs_are_kept(self, asked):
        row = seal(asked, reason="𠮷😀<b>疑</b>", location="<script>")
        assert (row.reason, row.location) == ("𠮷😀<b>疑</b>", "<script>")


class TestUnsealing:
    @pytest.fixture
    def sealed(self, asked):
        return seal(asked)

    def unseal(self, sealed, by, **other):
        given = {"hospital_party": "吴卫东", "patient_party": "张小红", "reason": "法院调取", **other}
        return actions.unseal(sealed=sealed, by=by, **given)

    def test_names_both_parties_and_leaves_the_content(self, sealed, manager):
        row = self.unseal(sealed, manager)
        row.refresh_from_db()
        assert (row.unseal_patient_party, row.unsealed_by, row.content) == ("张小红", manager, sealed.content)
        assert AuditEntry.objects.get(act=Act.UNSEAL).reason == "法院调取"

    def test_happens_once(self, sealed, manager):
        self.unseal(sealed, manager)
        with pytest.raises(Conflict) as refusal:
            self.unseal(sealed, manager, reason="再来一次")
        assert refusal.value.code == "unsealed"

    def test_wants_a_reason_and_both_names(self, sealed, manager):
        for name in ("hospital_party", "patient_party", "reason"):
            with pytest.raises(Refused):
                self.unseal(sealed, manager, **{name: "  "})

    def test_is_not_a_doctors_act(self, sealed, doctor):
        with pytest.raises(Forbidden):
            self.unseal(sealed, doctor)


class TestDatabase:
    @pytest.mark.parametrize(
        "change", ["content = 'x'", "sha256 = 'x'", "sealed_at = now()", "items = '[]'", "location = 'x'"]
    )
    def test_a_sealed_copy_never_changes(self, asked, change):
        row = seal(asked)
        refused_by_database("never changes", f"UPDATE emr_sealedcopy SET {change} WHERE id = %s", row.pk)  # noqa: S608

    def test_the_escape_of_pgtrigger_does_not_open_it(self, asked):
        row = seal(asked)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pgtrigger.ignore = '{emr_sealedcopy:emr_sealedcopy_freeze}'")
        refused_by_database("never changes", "UPDATE emr_sealedcopy SET medium = 'x' WHERE id = %s", row.pk)

    def test_unsealing_is_whole_and_now(self, asked, manager):
        row = seal(asked)
        refused_by_database(
            "names its time", "UPDATE emr_sealedcopy SET unsealed_at = now() WHERE id = %s", row.pk
        )
        refused_by_database(
            "server time",
            "UPDATE emr_sealedcopy SET unsealed_at = now() - interval '1 day', unsealed_by_id = %s, "
            "unseal_reason = 'x', unseal_hospital_party = 'x', unseal_patient_party = 'x' WHERE id = %s",
            manager.pk, row.pk,
        )  # fmt: skip

    def test_unsealed_once_for_all(self, asked, manager):
        row = seal(asked)
        actions.unseal(sealed=row, hospital_party="甲", patient_party="乙", reason="丙", by=manager)
        refused_by_database(
            "unsealed once", "UPDATE emr_sealedcopy SET unseal_reason = 'x' WHERE id = %s", row.pk
        )

    def test_nobody_seals_for_yesterday(self, asked, monkeypatch):
        yesterday = timezone.now() - timezone.timedelta(days=1)
        monkeypatch.setattr(actions.timezone, "now", lambda: yesterday)
        with pytest.raises(Error, match="server time"), transaction.atomic():
            seal(asked)

    def test_a_changed_content_is_told(self, asked):
        row = seal(asked)
        row.content += " "
        assert papers.is_unchanged(row) is False
        row.sha256 = papers.digest(row.content)
        assert papers.is_unchanged(row) is False

    def test_without_its_key_nobody_can_tell(self, asked, settings, tmp_path):
        row = seal(asked)
        settings.SEAL_KEYS = tmp_path / "elsewhere"
        assert papers.is_unchanged(row) is None


class TestPages:
    def form(self, asked, **other):
        person = asked["patient"]
        return {
            "visits": [str(key) for key in asked["visits"]], "key": str(asked["key"]), "hospital_party": "吴卫东",
            "patient_party": person.name, "relation": person.relation, "id_type": person.id_type,
            "id_number": person.id_number, "reason": "争议", "medium": "光盘", "location": "病案室", **other,
        }  # fmt: skip

    def choose(self, client, asked, **other):
        return client.post(reverse("seal-choose", args=[asked["resident"].uuid]), self.form(asked, **other))

    def confirm(self, client, asked, **other):
        seen = self.choose(client, asked).context["seen"]
        body = self.form(asked, **{"seen": seen, "both": "on", **other})
        return client.post(reverse("seal-copy", args=[asked["resident"].uuid]), body)

    def test_shows_what_will_be_sealed_before_it_is(self, client, asked, manager):
        client.force_login(manager)
        page = self.choose(client, asked)
        assert (page.status_code, SealedCopy.objects.count()) == (200, 0)
        assert "张小红" in page.content.decode()

    def test_seals_and_leads_to_the_sealed_copy(self, client, asked, manager):
        client.force_login(manager)
        answer = self.confirm(client, asked)
        row = SealedCopy.objects.get()
        assert answer.headers["Location"] == f"/sealed-copies/{row.uuid}/"
        page = client.get(answer.headers["Location"])
        assert page.context["unchanged"] is True
        assert row.sha256 in page.content.decode()

    def test_not_without_both_present(self, client, asked, manager):
        client.force_login(manager)
        answer = self.confirm(client, asked, both="")
        assert (answer.status_code, SealedCopy.objects.count()) == (400, 0)
        assert "both" in answer.context["form"].errors

    def test_a_faulty_form_keeps_what_was_typed(self, client, asked, manager):
        client.force_login(manager)
        page = self.choose(client, asked, id_number="110101195803070025", reason="<b>留着</b>", visits=["x"])
        assert page.status_code == 400
        assert "&lt;b&gt;留着&lt;/b&gt;" in page.content.decode()

    def test_a_wrong_number_is_told_at_its_field(self, client, asked, manager):
        client.force_login(manager)
        answer = self.confirm(client, asked, id_number="110101195803070025")
        assert answer.status_code == 400
        assert "id_number" in answer.context["form"].errors

    def test_a_forged_request_of_a_doctor_seals_nothing_and_is_in_the_trail(self, client, asked, doctor):
        client.force_login(doctor)
        body = self.form(asked, seen="0" * 64, both="on")
        answer = client.post(reverse("seal-copy", args=[asked["resident"].uuid]), body)
        assert (answer.status_code, SealedCopy.objects.count()) == (403, 0)
        assert AuditEntry.objects.filter(act=Act.DENIED).count() == 1

    def test_the_file_is_what_was_hashed(self, client, asked, manager):
        row = seal(asked)
        client.force_login(manager)
        answer = client.get(reverse("sealed-file", args=[row.uuid]))
        assert hashlib.sha256(answer.content).hexdigest() == row.sha256
        assert row.number in answer.headers["Content-Disposition"]
        assert AuditEntry.objects.get(act=Act.EXPORT).object_id == str(row.uuid)

    def test_the_certificate_has_lines_for_both_hands(self, client, asked, manager):
        row = seal(asked)
        client.force_login(manager)
        page = client.get(reverse("sealed-certificate", args=[row.uuid])).content.decode()
        assert "病历封存单" in page
        assert "张小红" in page
        assert page.count("签名") >= 2
        assert AuditEntry.objects.filter(act=Act.PRINT).count() == 1

    def test_pages_ask_few_questions_at_any_length(
        self, client, asked, manager, resident, doctor, django_assert_max_num_queries
    ):
        visits = [sign(factories.encounter(resident, doctor, **COMPLETE), doctor) for _n in range(20)]
        many = {**asked, "visits": [visit.uuid for visit in visits]}
        row = seal(many)
        client.force_login(manager)
        with django_assert_max_num_queries(12):
            assert self.choose(client, many).status_code == 200
        for name in ("sealed-copy", "sealed-certificate", "unseal"):
            with django_assert_max_num_queries(12):
                client.get(reverse(name, args=[row.uuid]))

    def test_unsealing_on_the_page(self, client, asked, manager):
        row = seal(asked)
        client.force_login(manager)
        typed = {"hospital_party": "甲", "patient_party": "乙", "reason": "丙"}
        assert client.post(reverse("unseal", args=[row.uuid]), typed).status_code == 400
        client.post(reverse("unseal", args=[row.uuid]), {**typed, "both": "on"})
        assert not SealedCopy.objects.get().is_sealed
        assert client.post(reverse("unseal", args=[row.uuid]), {**typed, "both": "on"}).status_code == 409

    @pytest.mark.parametrize("name", ["sealed-copy", "sealed-certificate", "sealed-file", "unseal"])
    def test_hidden_is_404_and_not_ones_act_403(self, client, asked, other_centre, doctor, name):
        address = reverse(name, args=[seal(asked).uuid])
        client.force_login(factories.user("manager", other_centre))
        assert client.get(address).status_code == 404
        client.force_login(doctor)
        assert client.get(address).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_numbers_taken_at_once_are_all_different(asked, station, doctor):
    for _round in range(5):
        others = []
        for _n in range(3):
            person = factories.resident(station)
            visit = sign(factories.encounter(person, doctor, **COMPLETE), doctor)
            others.append({**asked, "resident": person, "visits": [visit.uuid], "key": uuid.uuid4()})
        outcomes = at_once(*[lambda other=other: seal(other) for other in others])
        assert len({row.number for row in outcomes}) == 3


@pytest.mark.django_db(transaction=True)
def test_one_request_sent_twice_at_once_is_one_copy(asked):
    outcomes = at_once(*[lambda: seal(asked)] * 3)
    assert len({row.pk for row in outcomes}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_unseal_at_once_and_one_does(asked, manager):
    row = seal(asked)
    act = lambda: actions.unseal(  # noqa: E731
        sealed=row, hospital_party="甲", patient_party="乙", reason="丙", by=manager
    )
    assert codes(at_once(act, act)) == ["unsealed"]
