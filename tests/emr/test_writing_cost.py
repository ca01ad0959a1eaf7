"""What writing costs: measured from the saves' times, shown without anybody's text."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic.codes import Role
from emr.actions import drafts, signing, visits
from emr.codes import VisitKind
from emr.jobs import measure_writing
from emr.models import Encounter, Note, Save, WritingMeasure
from emr.writing import cost
from emr.writing import figures as writing_figures
from tests import factories
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db


def written(note, author, *steps):
    """Saves of a note: (seconds after the start, changed fields, by)."""
    start = note.encounter.started_at
    return [
        Save(
            note=note, by=by or author, version=number, changes=dict.fromkeys(names, "x"),
            saved_at=start + timedelta(seconds=after),
        )
        for number, (after, names, by) in enumerate(steps, 1)
    ]  # fmt: skip


def measured(note, *steps):
    note.signed_at = timezone.now()
    return cost.measure(note, written(note, note.author, *steps))


class TestMeasuring:
    def test_a_gap_is_the_typing_of_the_fields_in_the_later_save(self, note):
        steps = [
            (5, ["chief_complaint"], None),
            (15, ["chief_complaint"], None),
            (21, ["signs", "treatment"], None),
        ]
        made = measured(note, *steps)
        seconds = {name: field["s"] for name, field in made.fields.items() if field["s"]}
        assert seconds == {"chief_complaint": 15.0, "signs": 3.0, "treatment": 3.0}
        assert (made.seconds, made.boxes) == (21, 3)

    def test_half_a_minute_at_most_of_a_gap(self, note):
        made = measured(note, (400, ["signs"], None), (4000, ["signs"], None))
        assert (made.fields["signs"]["s"], made.seconds) == (60.0, 60)

    def test_a_nurses_saves_are_not_the_writers(self, note, nurse):
        made = measured(note, (5, ["vitals"], nurse), (10, ["signs"], None))
        assert (made.fields["signs"]["s"], made.fields["vitals"]["s"], made.boxes) == (10.0, 0.0, 1)

    def test_what_the_start_filled_in_is_nobodys_typing(self, note):
        made = measured(note, (0.1, ["past_history", "visit_kind"], None), (8, ["treatment"], None))
        assert (made.fields["past_history"]["s"], made.boxes) == (0.0, 1)
        assert made.fields["treatment"]["s"] == pytest.approx(7.9)

    def test_treatment_and_medication_are_one_box(self, note):
        assert measured(note, (3, ["treatment"], None), (6, ["medications"], None)).boxes == 1

    def test_the_signature_is_no_typing(self, note):
        assert measured(note, (3, ["signs"], None), (25, [], None)).seconds == 3

    def test_empty_and_copied_are_told(self, note):
        note.signs, note.examinations, note.vitals = "咽红", "  ", {"pulse": ""}
        note.marks = {"signs": {"how": "copied"}, "treatment": {"how": "template"}, "past_history": 5}
        fields = measured(note, (3, ["signs"], None)).fields
        assert [name for name in fields if not fields[name]["empty"]] == ["signs"]
        assert [name for name in fields if fields[name]["copied"]] == ["signs"]

    def test_what_a_template_filled_in_and_nobody_touched_is_no_typing(self, note):
        note.marks = {"signs": {"how": "template"}}
        made = measured(note, (6, ["signs", "treatment"], None))
        assert (made.fields["signs"]["s"], made.fields["treatment"]["s"], made.boxes) == (0.0, 3.0, 1)

    def test_a_note_without_saves_has_no_figures(self, note):
        made = measured(note)
        assert (made.fields, made.boxes, made.seconds) == ({}, 0, 0)


def sign(visit, by, **changes):
    key = uuid.uuid4
    note = Note.objects.get(encounter=visit)
    changes = {**COMPLETE, "visit_kind": "return", **changes}
    drafts.save_draft(encounter=visit.uuid, key=key(), version=note.version, changes=changes, by=by)
    return signing.sign(encounter=visit.uuid, key=key(), version=note.version + 1, by=by)


class TestTheJob:
    def test_it_measures_what_is_signed_once(self, encounter, another_visit, doctor):
        sign(encounter, doctor)
        assert (measure_writing.call(), measure_writing.call()) == (1, 0)
        row = WritingMeasure.objects.get()
        assert (row.institution, row.doctor, row.visit_kind) == (doctor.institution, doctor, VisitKind.RETURN)
        assert row.signed_on == timezone.localdate()
        assert row.boxes == 7

    def test_it_goes_on_where_it_was_cut_off(self, station, doctor):
        for number in range(5):
            sign(factories.encounter(factories.resident(station, f"居民{number}"), doctor), doctor)
        first = list(cost.unmeasured()[:2])
        WritingMeasure.objects.bulk_create(cost.measures_of(first))
        assert cost.measure_new(limit=2) == 3
        assert WritingMeasure.objects.count() == 5

    def test_a_real_visit_from_start_to_signature(self, resident, doctor):
        visit = visits.start_for(resident=resident, by=doctor)
        sign(visit, doctor)
        measure_writing.call()
        row = WritingMeasure.objects.get()
        assert 0 <= row.seconds <= 30
        assert set(row.fields) == set(cost.FIELDS)

    def test_signed_notes_are_found_by_their_index(self, encounter, doctor):
        sign(encounter, doctor)
        measure_writing.call()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            plan = cost.unmeasured()[:200].explain()
        assert "note_signed" in plan
        assert "Seq Scan on emr_note" not in plan


@pytest.fixture
def figures(station, doctor):
    """25 return visits of 60 s and 3 boxes: signs empty, past history copied, treatment long."""
    field = {"s": 0.0, "empty": False, "copied": False}
    fields = {
        "chief_complaint": {**field, "s": 12.0}, "signs": {**field, "empty": True},
        "past_history": {**field, "copied": True}, "treatment": {**field, "s": 33.0},
    }  # fmt: skip
    rows = []
    for number in range(25):
        visit = Encounter.objects.create(
            resident=factories.resident(station, f"居民{number}"),
            institution=station,
            doctor=doctor,
            status="finished",
        )
        note = Note.objects.create(encounter=visit, author=doctor, signed_at=timezone.now(), signed_by=doctor)
        rows.append(
            WritingMeasure(
                note=note, institution=station, doctor=doctor, visit_kind="return", boxes=3,
                signed_on=timezone.localdate() - timedelta(days=number), seconds=60, fields=fields,
            )
        )  # fmt: skip
    return WritingMeasure.objects.bulk_create(rows)


class TestThePage:
    @pytest.fixture
    def get(self, client):
        def get(user, **query):
            client.force_login(user)
            return client.get("/writing-cost", query)

        return get

    def test_it_proposes_by_its_rules(self, get, figures, doctor):
        context = get(doctor).context
        rows = {row.name: row for row in context["figures"]}
        assert {name: row.proposal for name, row in rows.items()} == {
            "chief_complaint": "leave", "signs": "fold", "past_history": "prefill", "treatment": "template",
        }  # fmt: skip
        assert (rows["treatment"].seconds, rows["signs"].seconds) == (33.0, None)
        assert (context["goal"].notes, context["goal"].met) == (25, True)

    def test_the_goal_is_of_return_visits(self, get, figures, doctor):
        context = get(doctor, kind="first").context
        assert (context["whole"].notes, context["goal"].notes) == (0, 25)

    @pytest.mark.parametrize(("seconds", "boxes", "met"), [(90, 3, True), (91, 3, False), (90, 3.5, False)])
    def test_the_goal_has_both_parts(self, seconds, boxes, met):
        assert writing_figures.Whole(5, seconds, boxes).met is met

    def test_the_period_is_chosen(self, get, figures, doctor):
        WritingMeasure.objects.bulk_create([])
        assert get(doctor, days="30").context["whole"].notes == 25
        assert get(doctor, days="7").context["days"] == 90

    def test_the_reach_is_the_institutions(self, get, figures, manager, stranger, centre, district, station):
        assert get(manager).context["whole"].notes == 25
        assert get(stranger).context["whole"].notes == 0
        assert get(stranger, place=str(station.uuid)).status_code == 404
        business = factories.user(Role.DISTRICT, district)
        assert get(business, place=str(centre.uuid)).context["whole"].notes == 25

    def test_nurses_clerks_and_technicians_do_not_see_it(self, get, nurse, clerk, district):
        technician = factories.user(Role.DISTRICT_IT, district)
        assert {get(user).status_code for user in (nurse, clerk, technician)} == {403}

    @pytest.mark.parametrize("place", ["x", "1", "' OR 1=1", "😀"])
    def test_odd_choices_are_the_first(self, get, doctor, place):
        assert get(doctor, place=place, days="x", kind="<b>").context["place"] == doctor.institution

    def test_few_queries_and_nobodys_name(self, get, client, figures, doctor, django_assert_max_num_queries):
        get(doctor)
        with django_assert_max_num_queries(6):
            html = client.get("/writing-cost").content.decode()
        assert "居民1" not in html

    def test_without_notes_it_says_so(self, get, doctor):
        assert get(doctor).context["figures"] == []


@pytest.mark.parametrize(
    ("notes", "seconds", "empty", "copied", "proposal"),
    [
        (19, 50, 1, 1, "few"), (20, None, 0.8, 0, "fold"), (20, 5, 0.79, 0.5, "prefill"),
        (20, 20, 0.5, 0.49, "template"), (20, 20, 0.51, 0, "leave"), (20, None, 0, 0, "leave"),
    ],
)  # fmt: skip
def test_the_rules_bounds(notes, seconds, empty, copied, proposal):
    assert writing_figures.propose(notes, seconds, empty, copied) == proposal
