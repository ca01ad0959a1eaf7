"""The pages of tickets: who sees which, what each may do, and what comes of odd input."""

import io
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image

from clinic.codes import Role
from clinic.models import AuditEntry
from maintenance import masking
from maintenance.actions import pictures, tickets
from maintenance.codes import Side, TicketState
from maintenance.models import Attachment, Ticket, TicketFilter
from tests import factories

NOW = timezone.now()


def png(size=(40, 30)):
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def it(people):
    return people["it"]


@pytest.fixture
def reported(fault):
    """Reported a moment ago, so that the page's own clock is right."""
    return fault(
        now=timezone.now() - timedelta(minutes=5),
        description="张三 13812345678 打不开，身份证110101195803071234",
    )


def act(client, ticket, name, **data):
    return client.post(f"/tickets/{ticket.uuid}/act/{name}", data)


def form(**more):
    return {
        "key": uuid.uuid4(),
        "kind": "fault",
        "title": "打不开",
        "module": "chart",
        "severity": "ordinary",
        **more,
    }


# Reporting -------------------------------------------------------------------------------------------


def test_the_button_of_any_page_brings_the_page_along(client, level, people):
    client.force_login(people["doctor"])
    page = client.get("/").content.decode()
    assert 'action="/tickets/report"' in page
    assert 'name="page" value="/"' in page
    arrived = client.post("/tickets/report", {"page": "/visits/1", "request": "abc"}).content.decode()
    assert 'value="/visits/1"' in arrived
    answer = client.post("/tickets/report", form(page="/visits/1", request="abc", picture=io.BytesIO(png())))
    made = Ticket.objects.get()
    assert answer.url == f"/tickets/{made.uuid}/"
    assert (made.page, made.request_id, made.reporter, made.attachments.count()) == (
        "/visits/1",
        "abc",
        people["doctor"],
        1,
    )


def test_reporting_twice_with_one_key_is_one_ticket(client, level, people):
    client.force_login(people["doctor"])
    data = form()
    assert client.post("/tickets/report", data).url == client.post("/tickets/report", data).url
    assert Ticket.objects.count() == 1


def test_a_call_is_written_down_with_both_times(client, level, it, station):
    client.force_login(it)
    said = timezone.localtime() - timedelta(hours=3)
    data = form(
        channel="hotline", reported_at=said.strftime("%Y-%m-%dT%H:%M"), place=station.uuid, reporter_name="刘站长", side="vendor"
    )  # fmt: skip
    client.post("/tickets/intake", data)
    made = Ticket.objects.get()
    assert (made.channel, made.institution, made.reporter_name, made.typed_by) == (
        "hotline",
        station,
        "刘站长",
        it,
    )
    assert made.typed_at - made.reported_at > timedelta(hours=2)


@pytest.mark.parametrize("title", ["", "长" * 101, "坏\x00字"])
def test_an_odd_title_gets_a_sentence_and_no_ticket(client, level, people, title):
    client.force_login(people["doctor"])
    assert client.post("/tickets/report", form(title=title)).status_code == 400
    assert not Ticket.objects.exists()


def test_a_report_from_the_future_gets_a_sentence(client, level, it, station):
    client.force_login(it)
    ahead = timezone.localtime() + timedelta(hours=3)
    data = form(
        channel="qq", reported_at=ahead.strftime("%Y-%m-%dT%H:%M"), place=station.uuid, reporter_name="刘站长"
    )
    answer = client.post("/tickets/intake", data)
    assert (answer.status_code, Ticket.objects.count()) == (400, 0)
    assert "field-error" in answer.content.decode()


# Who sees what ---------------------------------------------------------------------------------------


def test_strangers_do_not_find_it(client, reported, other_station, district):
    stranger = factories.user(Role.DOCTOR, other_station)
    for who, status in (
        (reported.reporter, 200),
        (stranger, 404),
        (factories.user(Role.CENTRE_IT, other_station.parent), 404),
        (factories.user(Role.DISTRICT, district), 200),
    ):
        client.force_login(who)
        assert client.get(f"/tickets/{reported.uuid}/").status_code == status
        assert act(client, reported, "comment", words="在吗", key=uuid.uuid4()).status_code == (
            302 if status == 200 else 404
        )


def test_the_vendor_reads_no_number_of_a_person(client, reported, people):
    client.force_login(people["vendor"])
    page = client.get(f"/tickets/{reported.uuid}/").content.decode()
    assert "13812345678" not in page
    assert "110101195803071234" not in page
    assert masking.COVER in page


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("电话138 1234 5678", "电话＊＊＊"),
        ("11010119580307123X", "＊＊＊"),
        ("第20261123号", "第20261123号"),
        ("2026-000123", "2026-000123"),
    ],
)
def test_what_is_covered(text, read):
    assert masking.cover(text) == read


def test_the_vendor_lands_on_the_queue(client, people):
    client.force_login(people["vendor"])
    assert client.get("/").url == "/tickets/"


def test_internal_notes_stay_inside(client, reported, it):
    tickets.comment(ticket=reported, by=it, words="怀疑内存泄漏", key=uuid.uuid4(), internal=True)
    for who, seen in ((it, True), (reported.reporter, False)):
        client.force_login(who)
        assert ("怀疑内存泄漏" in client.get(f"/tickets/{reported.uuid}/").content.decode()) is seen


# Acts ------------------------------------------------------------------------------------------------


def test_a_life_by_its_buttons(client, reported, it):
    client.force_login(it)
    for name, data in (("accept", {}), ("work", {}), ("fix", {"words": "换了线"})):
        assert act(client, reported, name, **data).status_code == 302
    client.force_login(reported.reporter)
    assert "确认可用" in client.get(f"/tickets/{reported.uuid}/").content.decode()
    act(client, reported, "confirm")
    reported.refresh_from_db()
    assert reported.state == TicketState.CLOSED


def test_the_reporter_does_not_work_on_it(client, reported):
    client.force_login(reported.reporter)
    assert act(client, reported, "accept").status_code == 403
    reported.refresh_from_db()
    assert reported.state == TicketState.NEW


@pytest.mark.parametrize(("name", "data"), [("wait", {"waiting_for": "user", "reason": " "}), ("fix", {"words": ""}), ("close", {"closing": "confirmed", "words": "a"}), ("merge", {"into": "2026-999999"}), ("assign", {"side": "nobody"})])  # fmt: skip
def test_what_is_missing_is_said_and_nothing_changed(client, reported, it, name, data):
    client.force_login(it)
    assert act(client, reported, name, **data).status_code == 400
    reported.refresh_from_db()
    assert reported.state == TicketState.NEW


def test_assigned_to_who_works_on_tickets_and_nobody_else(client, reported, people, it):
    client.force_login(it)
    assert act(client, reported, "assign", side="vendor", assignee=people["doctor"].uuid).status_code == 400
    assert act(client, reported, "assign", side="vendor", assignee=people["vendor"].uuid).status_code == 302
    reported.refresh_from_db()
    assert (reported.side, reported.assignee) == (Side.VENDOR, people["vendor"])


def test_an_act_nobody_knows_is_not_there(client, reported, it):
    client.force_login(it)
    assert act(client, reported, "explode").status_code == 404


# Pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html><script>alert(1)</script>",
        b"\x89PNG\r\n\x1a\nbroken",
    ],
)
def test_what_is_no_picture_is_refused(client, reported, data):
    client.force_login(reported.reporter)
    answer = act(client, reported, "attach", key=uuid.uuid4(), picture=io.BytesIO(data))
    assert (answer.status_code, Attachment.objects.count()) == (400, 0)


def test_pictures_are_written_anew_and_served_harmless(client, reported):
    client.force_login(reported.reporter)
    act(client, reported, "attach", key=uuid.uuid4(), picture=io.BytesIO(png() + b"<script>"))
    kept = Attachment.objects.get()
    assert b"script" not in bytes(kept.data)
    answer = client.get(f"/tickets/pictures/{kept.uuid}")
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("image/jpeg", "no-store")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_sixth_picture_is_refused(client, reported):
    client.force_login(reported.reporter)
    for _n in range(pictures.MOST):
        pictures.attach(ticket=reported, by=reported.reporter, key=uuid.uuid4(), data=png())
    assert act(client, reported, "attach", key=uuid.uuid4(), picture=io.BytesIO(png())).status_code == 400


def test_the_vendor_sees_pictures_with_leave_alone_and_that_is_audited(client, reported, people, it):
    kept = pictures.attach(ticket=reported, by=reported.reporter, key=uuid.uuid4(), data=png())
    client.force_login(people["vendor"])
    assert client.get(f"/tickets/pictures/{kept.uuid}").status_code == 403
    client.force_login(it)
    assert act(client, reported, "allow", hours=2, reason="排查").status_code == 302
    client.force_login(people["vendor"])
    assert client.get(f"/tickets/pictures/{kept.uuid}").status_code == 200
    assert AuditEntry.objects.filter(act="view", object_id=str(kept.uuid), role=Role.VENDOR).exists()
    assert AuditEntry.objects.filter(act="grant", object_id=str(reported.uuid)).exists()
    later = timezone.now() + timedelta(hours=3)
    assert not pictures.may_see(people["vendor"], reported, later)


def test_the_vendor_gives_no_leave(client, reported, people):
    client.force_login(people["vendor"])
    assert act(client, reported, "allow", hours=2, reason="自己看看").status_code == 403


# The queue -------------------------------------------------------------------------------------------


def test_typed_words_find_and_stand_in_no_address(client, fault, it):
    found, other = fault(title="打印机卡纸"), fault(title="网络慢")
    client.force_login(it)
    page = client.post("/tickets/", {"q": "卡纸", "show": "all"}).content.decode()
    assert found.number in page
    assert other.number not in page
    assert 'method="post"' in page


@pytest.mark.parametrize(
    ("show", "sees"), [("side", False), ("nobody", True), ("overdue", True), ("fixed", False), ("all", True)]
)
def test_the_lists(client, fault, it, show, sees):
    """Reported on Monday, overdue now or soon after; it lies with the vendor and nobody has it."""
    made = fault(now=timezone.now() - timedelta(days=20), side=Side.VENDOR)
    client.force_login(it)
    assert (made.number in client.get(f"/tickets/?show={show}").content.decode()) is sees


def test_a_reporter_sees_their_own(client, fault, people, station):
    mine = fault()
    other = fault(by=factories.user(Role.NURSE, station))
    client.force_login(people["doctor"])
    page = client.get("/tickets/?show=all").content.decode()
    assert mine.number in page
    assert other.number not in page


def test_page_by_page_each_ticket_once(client, fault, it, monkeypatch):
    monkeypatch.setattr("maintenance.queue.SIZE", 2)
    numbers = [fault().number for _n in range(5)]
    client.force_login(it)
    seen, answer = [], client.get("/tickets/?show=open")
    while True:
        seen += [row.number for row in answer.context["rows"]]
        if not answer.context["more"]:
            break
        answer = client.post("/tickets/", {"show": "open", "after": answer.context["more"].uuid})
    assert seen == numbers


def test_filters_are_ones_own(client, level, it, people):
    client.force_login(it)
    client.post("/tickets/filters", {"name": "严重故障", "severity": "serious", "show": "open", "q": "不留"})
    kept = TicketFilter.objects.get()
    assert kept.choices == {"severity": "serious", "show": "open", "place": ""}
    assert "严重故障" in client.get("/tickets/").content.decode()
    client.force_login(people["vendor"])
    assert client.post(f"/tickets/filters/{kept.uuid}/drop").status_code == 404
    client.force_login(it)
    client.post("/tickets/filters", {"name": "严重故障"})
    assert TicketFilter.objects.count() == 1
    client.post(f"/tickets/filters/{kept.uuid}/drop")
    assert not TicketFilter.objects.exists()


@pytest.mark.parametrize(
    "data", [{"q": "a\x00"}, {"place": "x"}, {"after": "x"}, {"show": "x' OR 1"}, {"q": "\\ ' & ! |"}]
)
def test_odd_questions_never_break_it(client, level, it, data):
    client.force_login(it)
    assert client.post("/tickets/", data).status_code in (200, 400, 404)


def test_the_board_names_no_title(client, fault, it):
    late = fault(now=timezone.now() - timedelta(days=20))
    client.force_login(it)
    page = client.get("/tickets/board").content.decode()
    assert late.number in page
    assert late.title not in page


def test_what_the_pages_cost(client, fault, it, django_assert_max_num_queries):
    made = [fault(now=timezone.now() - timedelta(days=n)) for n in range(12)][5]
    client.force_login(it)
    for address in ("/tickets/?show=all", "/tickets/board", f"/tickets/{made.uuid}/"):
        client.get(address)
        with django_assert_max_num_queries(17):
            client.get(address)
