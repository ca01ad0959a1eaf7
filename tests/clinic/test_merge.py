"""Two rows of one person: joined by a pointer, read as one, taken apart again."""

import pytest
from django.urls import reverse

from clinic import banner, registry
from clinic.actions import residents as actions
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import AuditEntry, Resident, ResidentMerge
from emr.codes import EncounterStatus
from emr.models import Encounter
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def twin(station):
    return factories.resident(station, name="张秀瑛")


def merged(stays, goes, by):
    return actions.merge(survivor=stays, absorbed=goes, reason="同一人重复建档", by=by)


def fresh(*rows):
    return [Resident.objects.get(pk=row.pk).merged_into_id for row in rows]


def test_a_merge_moves_no_visit(resident, twin, doctor):
    visit = factories.encounter(twin, doctor)
    merged(resident, twin, doctor)
    visit.refresh_from_db()
    assert visit.resident_id == twin.pk
    assert list(Encounter.objects.of_resident(resident)) == [visit]


def test_pages_read_the_facts_of_both_rows(resident, twin, doctor):
    actions.record_allergy(resident=twin, substance="青霉素", by=doctor)
    actions.tag(resident=twin, tag="diabetes", by=doctor)
    merged(resident, twin, doctor)
    facts = banner.facts(resident, doctor)
    assert [str(row) for row in facts.allergies] == ["青霉素"]
    assert [row.tag for row in facts.key_tags] == ["diabetes"]


def test_an_absorbed_row_gives_up_its_id(resident, twin, doctor):
    number = twin.id_number
    merged(resident, twin, doctor)
    resident.id_number = number
    resident.save(update_fields=["id_number"])
    assert Resident.objects.filter(id_number=number).count() == 2


def test_a_chain_points_at_the_last_survivor(station, doctor):
    a, b, c = (factories.resident(station) for _number in range(3))
    merged(b, a, doctor)
    merged(c, b, doctor)
    assert fresh(a, b, c) == [c.pk, c.pk, None]
    assert sorted(c.record_ids()) == sorted([a.pk, b.pk, c.pk])


def test_merging_into_an_absorbed_row_means_its_survivor(station, doctor):
    a, b, c = (factories.resident(station) for _number in range(3))
    merged(b, a, doctor)
    merged(a, c, doctor)
    assert fresh(c) == [b.pk]


def test_undoing_gives_back_what_was_there(resident, twin, doctor):
    made = merged(resident, twin, doctor)
    actions.undo_merge(merge=made, reason="两个人", by=doctor)
    made.refresh_from_db()
    assert fresh(resident, twin) == [None, None]
    assert (made.undone_by, made.undo_reason) == (doctor, "两个人")


def test_undoing_the_later_merge_leaves_the_earlier_one(station, doctor):
    a, b, c = (factories.resident(station) for _number in range(3))
    merged(b, a, doctor)
    later = merged(c, b, doctor)
    actions.undo_merge(merge=later, reason="两个人", by=doctor)
    assert fresh(a, b, c) == [b.pk, None, None]


def test_undoing_the_earlier_merge_leaves_the_later_one(station, doctor):
    a, b, c = (factories.resident(station) for _number in range(3))
    earlier = merged(b, a, doctor)
    merged(c, b, doctor)
    actions.undo_merge(merge=earlier, reason="两个人", by=doctor)
    assert fresh(a, b, c) == [None, c.pk, None]


def test_undone_twice_is_a_conflict(resident, twin, doctor):
    made = merged(resident, twin, doctor)
    actions.undo_merge(merge=made, reason="两个人", by=doctor)
    with pytest.raises(Conflict):
        actions.undo_merge(merge=made, reason="两个人", by=doctor)


def test_undoing_says_so_when_the_id_was_given_away(resident, twin, doctor):
    made = merged(resident, twin, doctor)
    resident.id_number = twin.id_number
    resident.save(update_fields=["id_number"])
    with pytest.raises(Conflict, match="证件号码"):
        actions.undo_merge(merge=made, reason="两个人", by=doctor)
    assert fresh(twin) == [resident.pk]


def test_nobody_is_merged_with_oneself_or_in_a_circle(resident, twin, doctor):
    with pytest.raises(Refused):
        merged(resident, resident, doctor)
    merged(resident, twin, doctor)
    for pair in ((resident, twin), (twin, resident)):
        with pytest.raises(Refused):
            merged(*pair, doctor)
    assert ResidentMerge.objects.count() == 1


def test_a_foreign_row_is_not_merged(resident, other_station, doctor):
    theirs = factories.resident(other_station)
    actions.open_with_reason(resident=theirs, reason="今日来诊", by=doctor)
    for pair in ((resident, theirs), (theirs, resident)):
        with pytest.raises(Forbidden):
            merged(*pair, doctor)


def test_roles_without_the_right_do_not_merge(resident, twin, nurse, manager):
    for user in (nurse, manager):
        with pytest.raises(Forbidden):
            merged(resident, twin, user)


def test_two_open_visits_at_one_place_stop_the_merge(resident, twin, doctor):
    assert registry.merge_checks
    factories.encounter(resident, doctor)
    factories.encounter(twin, doctor, status=EncounterStatus.WAITING)
    with pytest.raises(Refused):
        merged(resident, twin, doctor)
    assert fresh(twin) == [None]


def test_a_merge_wants_a_reason(resident, twin, doctor):
    with pytest.raises(Refused):
        actions.merge(survivor=resident, absorbed=twin, reason="  ", by=doctor)


def test_both_rows_stand_in_the_trail(resident, twin, doctor):
    made = merged(resident, twin, doctor)
    actions.undo_merge(merge=made, reason="两个人", by=doctor)
    for act in (Act.MERGE, Act.UNMERGE):
        seen = AuditEntry.objects.filter(act=act).values_list("resident", flat=True)
        assert set(seen) == {str(resident.uuid), str(twin.uuid)}


def test_an_absorbed_row_is_not_written_to(resident, twin, doctor):
    merged(resident, twin, doctor)
    with pytest.raises(Conflict):
        actions.record_allergy(resident=twin, substance="青霉素", by=doctor)
    with pytest.raises(Conflict):
        actions.tag(resident=twin, tag="diabetes", by=doctor)


def test_the_page_of_an_absorbed_row_leads_to_the_survivor(client, resident, twin, doctor):
    merged(resident, twin, doctor)
    client.force_login(doctor)
    answer = client.get(reverse("resident", args=[twin.uuid]))
    assert answer["Location"] == reverse("resident", args=[resident.uuid])


def test_the_merge_page_compares_and_merges(client, resident, twin, doctor):
    client.force_login(doctor)
    address = reverse("merge", args=[resident.uuid, twin.uuid])
    page = client.get(address).content.decode()
    assert "张秀英" in page
    assert "张秀瑛" in page
    assert twin.id_number not in page
    assert client.post(address, {"reason": "重复建档"}).status_code == 302
    assert fresh(twin) == [resident.pk]


def test_the_merge_page_without_a_reason_keeps_both(client, resident, twin, doctor):
    client.force_login(doctor)
    assert client.post(reverse("merge", args=[resident.uuid, twin.uuid]), {"reason": ""}).status_code == 400
    assert fresh(twin) == [None]


def test_the_merge_page_proposes_the_same_sounding_row(client, resident, twin, doctor):
    client.force_login(doctor)
    page = client.get(reverse("merge-choose", args=[resident.uuid])).content.decode()
    assert reverse("merge", args=[resident.uuid, twin.uuid]) in page


def test_undo_stands_on_the_survivors_page(client, resident, twin, doctor):
    made = merged(resident, twin, doctor)
    client.force_login(doctor)
    assert (
        reverse("merge-undo", args=[made.uuid])
        in client.get(reverse("resident", args=[resident.uuid])).content.decode()
    )
    client.post(reverse("merge-undo", args=[made.uuid]), {"reason": "两个人"})
    assert fresh(twin) == [None]


def test_a_stranger_cannot_undo(client, resident, twin, doctor, stranger):
    made = merged(resident, twin, doctor)
    client.force_login(stranger)
    assert client.post(reverse("merge-undo", args=[made.uuid]), {"reason": "x y"}).status_code == 404
