"""Signed notes at the desk of the medical administration."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.models import AuditEntry
from emr.codes import ChangeKind
from emr.models import Correction
from tests import factories
from tests.emr.conftest import COMPLETE

pytestmark = pytest.mark.django_db


def sign(text):
    text.signed_at, text.signed_by, text.signer = timezone.now(), text.author, text.author.name
    text.save()
    return text


@pytest.fixture
def signed(resident, doctor):
    """A signed note and its signed correction."""
    note = sign(factories.encounter(resident, doctor, **COMPLETE).note)
    changed = {**COMPLETE, "present_illness": "5天前受凉后咳嗽，痰<i>黄</i>。"}
    sign(Correction.objects.create(
        note=note, number=1, kind=ChangeKind.CORRECT, reason="日期写错", author=doctor, key=uuid.uuid4(), **changed
    ))  # fmt: skip
    return note


def desk(page, note, *args):
    return reverse(f"admin:emr_note_{page}", args=[note.uuid, *args])


@pytest.mark.parametrize("page", ["change", "history"])
def test_both_texts_stand_there_field_by_field(page, client, manager, signed):
    client.force_login(manager)
    html = client.get(desk(page, signed)).content.decode()
    assert '<del class="struck">3</del>' in html or '<del class="struck">3天' in html
    assert "日期写错" in html
    assert "痰&lt;i&gt;黄&lt;/i&gt;" in html or "&lt;i&gt;黄&lt;/i&gt;" in html


def test_each_version_is_read_alone(client, manager, signed):
    client.force_login(manager)
    first, second = (client.get(desk("version", signed, n)).content.decode() for n in (1, 2))
    assert "3天前受凉后咳嗽" in first
    assert "5天前受凉后咳嗽" in second
    assert client.get(desk("version", signed, 3)).status_code == 404


@pytest.mark.parametrize("page", ["change", "history"])
def test_a_draft_is_no_record_yet(page, client, manager, note):
    client.force_login(manager)
    assert client.get(desk(page, note)).status_code == 404


@pytest.mark.parametrize("page", ["change", "history"])
def test_another_centre_s_administration_sees_nothing(page, client, other_centre, signed):
    client.force_login(factories.user(Role.MANAGER, other_centre))
    assert client.get(desk(page, signed)).status_code == 404


def test_the_list_names_the_day_s_signed_notes(client, manager, signed):
    client.force_login(manager)
    html = client.get(reverse("admin:emr_note_changelist")).content.decode()
    assert "张秀英" in html
    assert "王淑珍" in html


def test_reading_stands_in_the_trail(client, manager, signed, resident):
    client.force_login(manager)
    client.get(desk("version", signed, 1))
    entry = AuditEntry.objects.filter(act=Act.VIEW, resident=str(resident.uuid)).first()
    assert (entry.username, entry.detail) == (manager.username, {"page": "history", "version": 1})


def test_many_versions_cost_no_more_queries(client, manager, signed, doctor, django_assert_max_num_queries):
    for number in range(2, 20):
        text = {**COMPLETE, "treatment": f"休息{number}天。"}
        sign(Correction.objects.create(
            note=signed, number=number, kind=ChangeKind.CORRECT, reason="改", author=doctor, key=uuid.uuid4(), **text
        ))  # fmt: skip
    client.force_login(manager)
    with django_assert_max_num_queries(12):
        assert client.get(desk("history", signed)).status_code == 200
