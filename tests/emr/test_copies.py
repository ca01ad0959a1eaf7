"""复制: what is handed out, to whom, and that it can be read on its own."""

import hashlib
import json
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.db import Error, connection, transaction
from django.urls import reverse

from clinic.codes import Act, IdType, LifeState
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry, Resident
from emr import papers
from emr.actions import papers as actions
from emr.codes import Relation
from emr.models import CopyIssue
from emr.papers import Person, sheets
from tests import factories
from tests.emr.conftest import COMPLETE
from tests.emr.test_races import at_once
from tests.emr.test_sealed_copies import correct, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(resident, doctor):
    return sign(factories.encounter(resident, doctor, **COMPLETE), doctor)


@pytest.fixture
def asked(doctor, resident, visit):
    person = Person("张秀英", Relation.SELF, IdType.RESIDENT, resident.id_number)
    return {
        "resident": resident, "visits": [visit.uuid], "applicant": person, "purpose": "转诊就医", "paper": "a4",
        "stamped_by": "钱芳", "key": uuid.uuid4(), "by": doctor,
    }  # fmt: skip


def issue(asked, **other):
    return actions.issue_copy(**{**asked, **other})


def more_visits(resident, doctor, count):
    """Finished visits, so that the next can begin."""
    made = []
    for _n in range(count):
        visit = factories.encounter(resident, doctor, **COMPLETE)
        made.append(sign(visit, doctor))
    return made


class TestHandingOut:
    def test_the_dead_ask_for_nothing_themselves(self, asked, resident):
        resident.life_state = LifeState.DECEASED
        resident.save()
        with pytest.raises(Refused) as refusal:
            issue(asked, resident=resident)
        assert (refusal.value.code, refusal.value.facts["field"]) == ("deceased", "relation")

    def test_the_register_says_who_and_what(self, asked, doctor, resident):
        row = issue(asked)
        row.refresh_from_db()
        assert (row.applicant, row.relation, row.id_number) == ("张秀英", "self", resident.id_number)
        assert (row.purpose, row.stamped_by, row.issued_by) == ("转诊就医", "钱芳", doctor)
        assert row.scope.startswith("门诊病历1次就诊")

    def test_the_file_reads_on_its_own(self, asked, visit, doctor, resident):
        correct(visit, doctor, "改为卧床休息")
        content = json.loads(issue(asked).content)
        first, second = content["visits"][0]["versions"]
        assert (first["text"]["treatment"], second["text"]["treatment"]) == ("多饮水，休息。", "改为卧床休息")
        assert (first["signer"]["name"], second["change"]["reason"]) == (doctor.name, "笔误")
        assert content["resident"]["name"] == resident.name
        assert content["institution"]["name"] == doctor.institution.name
        assert content["legend"]["visit_kind"]["first"] == "初诊"

    def test_the_hash_is_the_files(self, asked):
        row = issue(asked)
        assert row.sha256 == hashlib.sha256(row.content.encode()).hexdigest()

    def test_pages_are_those_that_come_out_of_the_printer(self, asked, resident, doctor, client):
        long = sign(
            factories.encounter(
                factories.resident(doctor.institution),
                doctor,
                **{**COMPLETE, "present_illness": "咳嗽" * 3000},
            ),
            doctor,
        )
        Resident.objects.filter(pk=long.resident_id).update(merged_into=resident)
        row = issue(asked, visits=[*asked["visits"], long.uuid], paper="a5")
        client.force_login(doctor)
        page = client.get(reverse("copy-print", args=[row.uuid])).content.decode()
        assert page.count('<section class="sheet">') == row.pages > 5
        assert f"第{row.pages}页 共{row.pages}页" in page

    def test_the_cover_names_applicant_purpose_and_the_stamps_place(self, asked, client, doctor):
        row = issue(asked)
        client.force_login(doctor)
        page = client.get(reverse("copy-print", args=[row.uuid])).content.decode()
        for text in (row.number, "张秀英", "转诊就医", "病历管理专用章", f"共{row.pages}页", "钱芳"):
            assert text in page

    def test_a_corrected_note_is_printed_with_both_texts(self, asked, visit, doctor, client):
        correct(visit, doctor, "卧床休息。")
        row = issue(asked)
        client.force_login(doctor)
        page = client.get(reverse("copy-print", args=[row.uuid])).content.decode()
        assert "<del>多饮水" in page
        assert "卧床" in page

    def test_the_manager_hands_out_too(self, asked, manager):
        assert issue(asked, by=manager).institution == manager.institution

    def test_the_same_request_again_is_the_same_copy(self, asked):
        assert issue(asked) == issue(asked)
        assert CopyIssue.objects.count() == 1

    def test_the_same_key_for_something_else_is_refused(self, asked):
        issue(asked)
        with pytest.raises(Refused) as refusal:
            issue(asked, purpose="别的用途")
        assert refusal.value.code == "key"

    def test_every_step_is_in_the_trail(self, asked, client, doctor):
        row = issue(asked)
        client.force_login(doctor)
        client.get(reverse("copy-print", args=[row.uuid]))
        client.get(reverse("copy-file", args=[row.uuid]))
        details = AuditEntry.objects.filter(act=Act.COPY, object_id=str(row.uuid)).order_by("pk")
        assert [entry.detail.get("way") for entry in details] == [None, "print", "file"]


class TestRefusals:
    def test_a_draft_is_never_copied(self, asked, resident, doctor):
        draft = factories.encounter(resident, doctor, **COMPLETE)
        with pytest.raises(Refused) as refusal:
            issue(asked, visits=[*asked["visits"], draft.uuid])
        assert refusal.value.code == "draft"

    def test_a_draft_correction_does_not_get_out(self, asked, visit, doctor):
        correct(visit, doctor, "还在写", signed=False)
        assert "还在写" not in issue(asked).content

    @pytest.mark.parametrize("who", ["assistant", "nurse", "clerk"])
    def test_other_roles_hand_out_nothing(self, asked, who, request):
        with pytest.raises(Forbidden):
            issue(asked, by=request.getfixturevalue(who))

    def test_a_stranger_does_not_find_the_resident(self, asked, stranger):
        with pytest.raises(Resident.DoesNotExist):
            issue(asked, by=stranger)

    def test_a_foreign_resident_seen_for_a_day_gives_nothing_kept_elsewhere(self, asked, stranger, resident):
        stranger.access_grants.create(resident=resident, reason="急诊")
        with pytest.raises(Refused):
            issue(asked, by=stranger)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("visits", []),
            ("visits", [uuid.uuid4()]),
            ("purpose", " "),
            ("purpose", "长" * 101),
            ("paper", "a3"),
        ],
    )
    def test_what_is_missing_or_misshapen_is_said_at_its_field(self, asked, field, value):
        with pytest.raises(Refused) as refusal:
            issue(asked, **{field: value})
        assert refusal.value.facts["field"] == field

    def test_more_visits_than_a_copy_holds(self, asked):
        with pytest.raises(Refused):
            issue(asked, visits=[uuid.uuid4() for _n in range(papers.LIMIT + 1)])

    @pytest.mark.parametrize("way", ["UPDATE emr_copyissue SET pages = 1", "DELETE FROM emr_copyissue"])
    def test_the_register_never_changes(self, asked, way):
        issue(asked)
        with (
            pytest.raises(Error, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(way)


class TestLater:
    def test_a_record_that_went_on_is_not_printed_under_the_old_number(self, asked, visit, doctor, client):
        row = issue(asked)
        correct(visit, doctor, "后来改的")
        client.force_login(doctor)
        answer = client.get(reverse("copy-print", args=[row.uuid]))
        assert (answer.status_code, "后来改的" in answer.content.decode()) == (409, False)

    def test_a_review_or_another_name_is_a_change_too(self, asked, visit, doctor, resident):
        row = issue(asked)
        assert not papers.has_gone_on(row, [visit])
        visit.note.reviews.create(reviewer=doctor, reviewer_name="王淑珍", decision="approved")
        assert papers.has_gone_on(row, [visit])
        other = issue(asked, key=uuid.uuid4())
        assert not papers.has_gone_on(other, [visit])
        other.resident.name = "张秀珍"
        assert papers.has_gone_on(other, [visit])

    def test_a_later_draft_correction_changes_nothing_yet(self, asked, visit, doctor):
        row = issue(asked)
        correct(visit, doctor, "还在写", signed=False)
        assert not papers.has_gone_on(row, [visit])

    def test_the_file_stays_as_it_was_handed_out(self, asked, visit, doctor, client):
        row = issue(asked)
        correct(visit, doctor, "后来改的")
        client.force_login(doctor)
        answer = client.get(reverse("copy-file", args=[row.uuid]))
        assert hashlib.sha256(answer.content).hexdigest() == row.sha256
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{row.number}.json"'


class TestPages:
    def form(self, asked, **other):
        person = asked["applicant"]
        return {
            "visits": [str(key) for key in asked["visits"]], "key": str(asked["key"]), "applicant": person.name,
            "relation": person.relation, "id_type": person.id_type, "id_number": person.id_number,
            "purpose": "报销", "paper": "a4", "stamped_by": "", **other,
        }  # fmt: skip

    def post(self, client, asked, **other):
        return client.post(reverse("issue-copy", args=[asked["resident"].uuid]), self.form(asked, **other))

    def test_from_the_form_to_the_copy(self, client, asked, doctor):
        client.force_login(doctor)
        answer = self.post(client, asked)
        row = CopyIssue.objects.get()
        assert answer.headers["Location"] == f"/copies/{row.uuid}/"
        assert row.number in client.get(answer.headers["Location"]).content.decode()

    @pytest.mark.parametrize(
        "other",
        [
            {"visits": []}, {"visits": ["x"]}, {"relation": "king"}, {"id_number": "1"}, {"key": "x"},
            {"paper": "a3"}, {"purpose": ""}, {"purpose": "长" * 20_000},
        ],
    )  # fmt: skip
    def test_a_faulty_form_is_told_and_keeps_what_was_typed(self, client, asked, doctor, other):
        client.force_login(doctor)
        answer = self.post(client, asked, **other)
        assert answer.status_code == 400
        assert f'value="{asked["visits"][0]}"' in answer.content.decode()
        assert not CopyIssue.objects.exists()

    def test_a_draft_cannot_be_ticked(self, client, asked, doctor, resident):
        factories.encounter(resident, doctor)
        client.force_login(doctor)
        page = client.get(reverse("issue-copy", args=[resident.uuid])).content.decode()
        assert page.count("disabled") == 1

    def test_the_residents_page_lists_them(self, client, asked, doctor, resident):
        row = issue(asked)
        client.force_login(doctor)
        page = client.get(reverse("papers", args=[resident.uuid])).content.decode()
        assert row.number in page
        assert "封存病历" not in page  # the medical administration's matter

    def test_the_register_at_the_desk_is_the_institutions(self, client, asked, manager, other_centre):
        row = issue(asked)
        client.force_login(manager)
        assert row.number in client.get(reverse("admin:emr_copyissue_changelist")).content.decode()
        client.force_login(factories.user("manager", other_centre))
        assert row.number not in client.get(reverse("admin:emr_copyissue_changelist")).content.decode()

    @pytest.mark.parametrize("name", ["copy-issue", "copy-print", "copy-file"])
    def test_hidden_is_404_and_not_ones_act_403(self, client, asked, stranger, nurse, name):
        address = reverse(name, args=[issue(asked).uuid])
        client.force_login(stranger)
        assert client.get(address).status_code == 404
        client.force_login(nurse)
        assert client.get(address).status_code == 403

    def test_the_page_asks_few_questions_at_any_length(
        self, client, asked, doctor, resident, django_assert_max_num_queries
    ):
        for visit in more_visits(resident, doctor, 25):
            issue(asked, visits=[visit.uuid], key=uuid.uuid4())
        client.force_login(doctor)
        for name in ("papers", "issue-copy"):
            with django_assert_max_num_queries(12):
                client.get(reverse(name, args=[resident.uuid]))


def check(schema, value, where="$"):
    """The few words of JSON Schema that ours uses."""
    kinds = {
        "object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None),
    }  # fmt: skip
    if "const" in schema:
        assert value == schema["const"], where
    if "enum" in schema:
        assert value in schema["enum"], where
    if kind := schema.get("type"):
        allowed = tuple(kinds[one] for one in ([kind] if isinstance(kind, str) else kind))
        assert isinstance(value, allowed), where
    for name in schema.get("required", []) if isinstance(value, dict) else []:
        assert name in value, f"{where}.{name}"
    if isinstance(value, dict):
        assert schema.get("additionalProperties", True) or set(value) <= set(schema["properties"]), where
        for name, child in value.items():
            check(schema.get("properties", {}).get(name, {}), child, f"{where}.{name}")
    if isinstance(value, list):
        for number, child in enumerate(value):
            check(schema.get("items", {}), child, f"{where}[{number}]")


def test_the_file_is_what_the_schema_says(asked, visit, doctor):
    correct(visit, doctor, "改")
    schema = json.loads((Path(settings.BASE_DIR) / "docs/copy.schema.json").read_text())
    check(schema, json.loads(issue(asked).content))


def test_sheets_do_not_ask_for_each_note(asked, resident, doctor, django_assert_max_num_queries):
    visits = more_visits(resident, doctor, 10)
    row = issue(asked, visits=[visit.uuid for visit in visits])
    rows = list(papers.kept_here(doctor, resident).filter(uuid__in=[visit.uuid for visit in visits]))
    with django_assert_max_num_queries(2):
        assert len(sheets.of_copy(row, rows)) == row.pages


@pytest.mark.django_db(transaction=True)
def test_one_request_sent_twice_at_once_is_one_copy(asked):
    outcomes = at_once(*[lambda: issue(asked)] * 3)
    assert len({row.pk for row in outcomes}) == 1
