"""Orders for many agreements: looked at before, one batch however often one clicks, each line done exactly once whatever
dies in between, stopped and told row by row."""

import io
import uuid
from datetime import timedelta

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from clinic.codes import LifeState, Role
from clinic.errors import Conflict, Forbidden, Refused
from contracts import batching
from contracts.actions import batches
from contracts.codes import BatchKind, BatchState, TeamRole
from contracts.models import Agreement, Batch, BatchLine, TeamMember
from tests import factories
from tests.contracts import desk_build as build

pytestmark = pytest.mark.django_db
LIST = "/admin/contracts/agreement/"
ENDING = {"reason": "moved", "note": "", "on": None}


def today():
    return timezone.localdate()


@pytest.fixture
def team(station):
    return build.team(station)


@pytest.fixture
def base(district):
    return build.version(district)


@pytest.fixture
def text(district):
    return build.text(district)


@pytest.fixture
def ending(station, team, base):
    """Seven agreements that end in twenty days, with a package."""
    end = today() + timedelta(days=20)
    made = [
        build.agreement(
            factories.resident(station, name=f"居民{n}"), team, start=end - timedelta(days=364), end=end
        )
        for n in range(7)
    ]
    for one in made:
        one.packages.create(version=base, price=120, waiver=100)
    return made


@pytest.fixture
def small(monkeypatch):
    """Chunks of two lines."""
    monkeypatch.setattr(batching, "WORK", {kind: (act, 2) for kind, (act, _most) in batching.WORK.items()})


def order(rows, by, kind=BatchKind.TERMINATE, orders=None, key=None):
    return batches.start(
        key=key or uuid.uuid4(), kind=kind, institution=by.institution, by=by, orders=orders or ENDING,
        agreements=[(row.pk, row.resident_id) for row in rows],
    )  # fmt: skip


def renewing(rows, by, text):
    return order(rows, by, BatchKind.RENEW, {"years": 1, "text": text.pk, "confirmed": True, "team": None})


def worked(batch):
    batching.work(batch.pk)
    batch.refresh_from_db()
    return batch


def test_all_are_renewed_in_chunks(ending, clerk, text, small):
    batch = worked(renewing(ending, clerk, text))
    assert (batch.state, batch.lines_done, batch.lines_refused) == (BatchState.DONE, 7, 0)
    assert Agreement.objects.filter(follows__in=ending, start=ending[0].end + timedelta(days=1)).count() == 7
    assert all(line.made.follows_id == line.agreement_id for line in batch.lines.select_related("made"))


def test_one_bad_line_is_told_and_the_others_go_on(ending, clerk, text):
    ending[3].resident.life_state = LifeState.DECEASED
    ending[3].resident.save()
    batch = worked(renewing(ending, clerk, text))
    assert (batch.lines_done, batch.lines_refused) == (6, 1)
    line = batch.lines.get(state="refused")
    assert (line.agreement, bool(line.result)) == (ending[3], True)


class Killed(BaseException):
    """As kill -9: nothing catches it."""


@pytest.mark.parametrize("where", ["_write", "_done"])
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_leaves_each_line_done_once(ending, clerk, text, small, monkeypatch, where):
    batch = renewing(ending, clerk, text)
    whole, calls = getattr(batching, where), []

    def dying(*given):
        calls.append(where)
        made = whole(*given)
        if len(calls) == 2:
            raise Killed
        return made

    monkeypatch.setattr(batching, where, dying)
    with pytest.raises(Killed):
        batching.work(batch.pk)
    assert Agreement.objects.filter(follows__isnull=False).count() == 2
    assert batching.work_left_behind() == 3
    batch.refresh_from_db()
    assert (batch.state, batch.lines_done, Agreement.objects.filter(follows__isnull=False).count()) == (
        "done",
        7,
        7,
    )


def test_a_chunk_that_waited_in_vain_for_a_lock_is_done_later(ending, clerk, text, small, monkeypatch):
    batch = renewing(ending, clerk, text)

    def busy(*given):
        raise OperationalError("deadlock detected")

    with monkeypatch.context() as patched:
        patched.setattr("contracts.batch_acts.renewals.renew_many", busy)
        with pytest.raises(OperationalError):
            batching.step(batch.pk)
    assert worked(batch).lines_done == 7


def test_a_row_that_breaks_the_chunk_stands_alone(ending, clerk, monkeypatch, small):
    """What nobody foresaw is told on its own line; the others of its chunk are done."""
    bad = ending[2].pk

    def act(lines, orders, by):
        if any(line.agreement_id == bad for line in lines):
            raise ZeroDivisionError
        return [batching.Outcome(line) for line in lines]

    monkeypatch.setattr(batching, "import_string", lambda path: act)
    batch = worked(order(ending, clerk))
    assert (batch.lines_done, batch.lines_refused) == (6, 1)


def test_the_same_key_is_one_batch(ending, clerk):
    key = uuid.uuid4()
    assert order(ending, clerk, key=key) == order(ending, clerk, key=key)
    assert BatchLine.objects.count() == 7
    for other in ({"kind": BatchKind.RENEW}, {"orders": {**ENDING, "reason": "lost"}}):
        with pytest.raises(Conflict):
            order(ending, clerk, key=key, **other)
    with pytest.raises(Conflict):
        order(ending[1:], clerk, key=key)


def test_a_batch_that_breaks_holds_up_no_others(ending, clerk, monkeypatch):
    first, second = order(ending[:3], clerk), order(ending[3:], clerk)
    whole = batching.step

    def step(pk):
        if pk == first.pk:
            raise OperationalError("deadlock detected")
        return whole(pk)

    monkeypatch.setattr(batching, "step", step)
    batching.work_left_behind()
    second.refresh_from_db()
    assert second.lines_done == 4


def test_nothing_and_too_much_are_refused(clerk, ending, monkeypatch):
    monkeypatch.setattr(batches, "MOST", 6)
    for rows in ([], ending):
        with pytest.raises(Refused):
            order(rows, clerk)
    assert not Batch.objects.exists()


def test_others_may_not_order_nor_stop(ending, clerk, station, other_station):
    batch = order(ending, clerk)
    for stranger in (factories.user(Role.CLERK, other_station), factories.user(Role.NURSE, station)):
        with pytest.raises(Forbidden):
            batches.stop(batch=batch, by=stranger)
    with pytest.raises(Forbidden):
        order(ending, factories.user(Role.NURSE, station))


def test_stopped_and_taken_up_again(ending, clerk, small):
    batch = order(ending, clerk)
    batching.step(batch.pk)
    batches.stop(batch=batch, by=clerk)
    assert worked(batch).lines_done == 2
    batches.go_on(batch=batch, by=clerk)
    assert (worked(batch).lines_done, batch.state) == (7, BatchState.DONE)
    with pytest.raises(Conflict):
        batches.go_on(batch=batch, by=clerk)


def test_who_left_orders_nothing_more(ending, clerk):
    batch = order(ending, clerk)
    clerk.is_active = False
    clerk.save()
    assert (worked(batch).state, batch.lines_done) == (BatchState.STOPPED, 0)
    assert batch.orders["stopped"]


def test_given_to_another_doctor_of_the_team(ending, team, clerk, station):
    colleague = factories.user(Role.DOCTOR, station)
    TeamMember.objects.create(team=team, person=colleague, role=TeamRole.DOCTOR, since=today())
    batch = worked(order(ending, clerk, BatchKind.REASSIGN, {"doctor": colleague.pk}))
    assert batch.lines_done == 7
    assert set(Agreement.objects.values_list("doctor", flat=True)) == {colleague.pk}


# At the desk ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, clerk):
    client.force_login(clerk)
    return client


def ticked(rows, name="end_many", **given):
    return {
        "action": name,
        ACTION_CHECKBOX_NAME: [str(row.uuid) for row in rows],
        "select_across": "0",
        **given,
    }


def ends(total, **given):
    return {"confirm": str(total), "key": str(uuid.uuid4()), "reason": "moved", **given}


def test_the_page_counts_before_anything_is_done(desk, ending, team, station):
    draft = build.agreement(factories.resident(station), team, "draft")
    answer = desk.post(LIST, ticked([*ending, draft]))
    shown = answer.context["shown"]
    assert (shown.total, shown.good, [count for _why, count in shown.by_reason]) == (8, 7, [1])
    assert not Batch.objects.exists()


def test_two_clicks_give_one_order(desk, ending):
    given = ticked(ending, **ends(7))
    addresses = {desk.post(LIST, given).url for _click in range(2)}
    assert addresses == {reverse("admin:contracts_batch_change", args=[Batch.objects.get().uuid])}


def test_all_of_the_filter_are_meant(desk, ending, team, station):
    build.agreement(factories.resident(station), team, start=today())
    given = ticked(ending[:1], **ends(7)) | {"select_across": "1"}
    desk.post(LIST + "?light=30", given)
    assert Batch.objects.get().lines_total == 7


def test_a_changed_selection_is_shown_again(desk, ending):
    answer = desk.post(LIST, ticked(ending, **ends(5)))
    assert answer.status_code == 400
    assert not Batch.objects.exists()


def test_renewal_wants_the_formalities_confirmed(desk, ending, text):
    given = {"confirm": "7", "key": str(uuid.uuid4()), "years": "1", "text": str(text.uuid)}
    assert desk.post(LIST, ticked(ending, "renew_many", **given)).status_code == 400
    assert desk.post(LIST, ticked(ending, "renew_many", **given, confirmed="on")).status_code == 302
    assert worked(Batch.objects.get()).lines_done == 7


def test_rows_of_others_and_other_roles(client, ending, other_station, station):
    client.force_login(factories.user(Role.CLERK, other_station))
    assert client.post(LIST, ticked(ending, **ends(7))).status_code == 404
    client.force_login(factories.user(Role.NURSE, station))
    assert client.post(LIST, ticked(ending, **ends(7))).status_code in (302, 403, 404)
    assert not Batch.objects.exists()


def test_the_batch_page_and_its_live_part(desk, ending, clerk, django_assert_max_num_queries):
    batch = worked(
        order(
            [*ending, build.agreement(factories.resident(clerk.institution), ending[0].team, "draft")], clerk
        )
    )
    address = reverse("admin:contracts_batch_change", args=[batch.uuid])
    with django_assert_max_num_queries(12):
        assert "居民0" not in desk.get(address).content.decode()
    assert "居民0" in desk.get(address + "?tab=done").content.decode()
    live = desk.get(reverse("admin:contracts_batch_live", args=[batch.uuid])).content.decode()
    assert 'data-pace="over"' in live


def test_the_result_as_a_sheet(desk, ending, clerk):
    batch = worked(order(ending, clerk))
    answer = desk.get(reverse("admin:contracts_batch_result", args=[batch.uuid, "xlsx"]))
    rows = list(load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True))
    assert [row[0] for row in rows[1:]] == list(range(1, 8))


def test_a_batch_of_others_is_not_there(client, ending, clerk, other_station):
    batch = order(ending, clerk)
    client.force_login(factories.user(Role.CLERK, other_station))
    for page, more in (("change", []), ("live", []), ("result", ["xlsx"])):
        assert (
            client.get(reverse(f"admin:contracts_batch_{page}", args=[batch.uuid, *more])).status_code == 404
        )
    assert client.post(reverse("admin:contracts_batch_stop", args=[batch.uuid])).status_code == 404
