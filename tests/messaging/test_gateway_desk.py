"""Gateways, routes and ported numbers at the desk: no secret is ever shown, no address outside the list is kept."""

import io
import logging
import socket
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook

from clinic.codes import Act, Role
from clinic.errors import Conflict, Refused
from clinic.models import AuditEntry
from messaging import gateway_options, gateways, secrets
from messaging.actions import gateways as actions
from messaging.actions import routes
from messaging.codes import Carrier, OverrideSource, Protocol
from messaging.gateways.base import LoginRefused
from messaging.models import AllowedAddress, Gateway, NumberOverride, Route
from tests import factories
from tests.emr.test_races import at_once
from tests.messaging import rows

pytestmark = pytest.mark.django_db
SECRET = "Zq7-hidden"  # noqa: S105
FORM = {
    "name": "移动", "protocol": "cmpp2", "carrier": "mobile", "host": "10.20.0.7", "port": 7890, "login": "900001",
    "new_secret": SECRET, "access_number": "1069", "connections": 1, "window": 16, "rate": 0, "connect_seconds": 10,
    "answer_seconds": 60, "idle_seconds": 60, "report_hours": 48, "active": "on",
}  # fmt: skip
LIST = "phone,carrier\n13800138000,联通\n138 0013 8001,中国电信\n13800138001,移动\n010-62345678,移动\n13800138002,x\n"


@pytest.fixture
def it(client, district):
    made = factories.user(Role.DISTRICT_IT, district)
    client.force_login(made)
    return made


@pytest.fixture(autouse=True)
def network(db):
    return AllowedAddress.objects.create(network="10.20.0.0/16")


def page(gateway, name="change", *args):
    return reverse(f"admin:messaging_gateway_{name}", args=[gateway.uuid, *args])


def kept(client, **fields):
    client.post(reverse("admin:messaging_gateway_add"), {**FORM, **fields})
    return Gateway.objects.get()


def test_the_secret_is_written_and_never_shown(client, it, caplog):
    with caplog.at_level(logging.DEBUG):
        gateway = kept(client)
        client.post(page(gateway), {**FORM, "new_secret": "", "window": 32, "codes": "{"})
        client.post(page(gateway), {**FORM, "window": 99999})
        pages = [
            client.get(one).content.decode()
            for one in (
                page(gateway), page(gateway, "history"), page(gateway, "version", 1), page(gateway, "health"),
                reverse("admin:messaging_gateway_changelist"),
            )
        ]  # fmt: skip
    gateway.refresh_from_db()
    assert (secrets.reveal(gateway.secret), gateway.window) == (SECRET, 32)
    told = "".join(pages) + caplog.text + str(list(AuditEntry.objects.values()))
    told += str(list(Gateway.history.values()))
    assert SECRET not in told
    assert gateway.secret not in told


@pytest.mark.parametrize("host", ["8.8.8.8", "169.254.169.254", "2130706433", "0.0.0.0", "::ffff:10.20.0.7"])
def test_an_address_outside_the_list_is_refused_and_recorded(client, it, host):
    answer = client.post(reverse("admin:messaging_gateway_add"), {**FORM, "host": host})
    assert answer.status_code == 200
    assert not Gateway.objects.exists()
    entry = AuditEntry.objects.get(act=Act.REFUSED)
    assert (entry.username, entry.reason) == (it.username, "address")
    assert SECRET not in answer.content.decode()


def test_carriers_come_to_us_from_allowed_networks_only(client, it):
    gateway = kept(client, protocol="sgip")
    options = {"option_node": "3010010001", "option_peers": "10.20.3.0/24, 8.8.8.0/24"}
    answer = client.post(page(gateway), {**FORM, **options})
    gateway.refresh_from_db()
    assert "8.8.8" not in str(gateway.options)
    assert answer.status_code == 200
    assert AuditEntry.objects.filter(act=Act.REFUSED, reason="address", object_id=str(gateway.uuid)).exists()
    client.post(page(gateway), {**FORM, **options, "option_peers": "10.20.3.0/24"})
    gateway.refresh_from_db()
    assert gateway.options["peers"] == ["10.20.3.0/24"]


def test_a_gateway_does_not_move_out_of_the_list(client, it):
    gateway = kept(client)
    client.post(page(gateway), {**FORM, "host": "8.8.8.8"})
    gateway.refresh_from_db()
    assert gateway.host == "10.20.0.7"
    assert AuditEntry.objects.filter(act=Act.REFUSED, object_id=str(gateway.uuid)).count() == 1


@pytest.mark.parametrize(
    ("protocol", "given"),
    [
        (Protocol.CMPP2, {"nonsense": "1"}), (Protocol.CMPP2, {"level": "10"}), (Protocol.CMPP2, {"codes": "{"}),
        (Protocol.CMPP2, {"codes": '{"x": "throttled"}'}), (Protocol.CMPP2, {"codes": '{"1": "eaten"}'}),
        (Protocol.CMPP2, {"stats": "[]"}), (Protocol.CMPP2, {"service_id": "x" * 11}), (Protocol.SGIP, {"node": "-1"}),
        (Protocol.CMPP2, {"stats": "[" * 3000}), (Protocol.SGIP, {"peers": "10.0.0.0/99"}),
        (Protocol.SMGP, {"opens": "25:00"}), (Protocol.SMPP, {"ids": "x"}), (Protocol.CMPP2, {"level": "1e999"}),
        (Protocol.SMPP, {"zone": "nan"}), (Protocol.HTTP, {"http": '{"503": 1}'}),
    ],
)  # fmt: skip
def test_options_that_do_not_fit(protocol, given):
    with pytest.raises(Refused):
        gateway_options.clean(protocol, given)


def test_options_have_their_types(client, it):
    given = {
        "node": "3010012345",
        "resend": "false",
        "peers": "10.1.2.0/24，10.1.3.7",
        "listen_password": SECRET,
    }
    found = gateway_options.clean(Protocol.SGIP, given)
    assert (found["node"], found["resend"]) == (3010012345, False)
    assert found["peers"] == ["10.1.2.0/24", "10.1.3.7/32"]
    assert SECRET not in str(found)
    again = gateway_options.clean(Protocol.SGIP, {"node": "3010012345"}, found)
    assert secrets.opened(again) == {"node": 3010012345, "listen_password": SECRET}


def test_every_protocol_has_its_page(client, it):
    for protocol in Protocol:
        gateway = rows.gateway()
        gateway.protocol = protocol
        gateway.save()
        assert client.get(page(gateway)).status_code == 200


def test_a_test_tells_what_came_of_it(client, it, monkeypatch):
    gateway = kept(client)

    async def refused(account):
        assert account.secret == SECRET
        raise LoginRefused("账号或密码不对", code="3")

    async def stuck(account):
        raise RuntimeError(account.secret)

    for probe, word in ((refused, "账号或密码不对"), (stuck, "desk-warning")):
        monkeypatch.setattr(gateways, "probe", probe)
        text = client.post(page(gateway, "test"), headers={"HX-Request": "true"}).content.decode()
        assert word in text
        assert SECRET not in text
    entries = AuditEntry.objects.filter(act=Act.GATEWAY, detail__what="test")
    assert sorted(entry.detail["code"] for entry in entries) == ["3", "own"]


def test_a_test_where_nobody_answers(client, it):
    AllowedAddress.objects.create(network="127.0.0.0/8")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gateway = kept(client, host="127.0.0.1", port=closed.getsockname()[1])
        tried = actions.try_out(gateway=gateway, by=it)
    assert (tried.ok, bool(tried.sentence)) == (False, True)


def test_who_may_look_writes_nothing(client, it, district):
    gateway = kept(client)
    client.force_login(factories.user(Role.DISTRICT, district))
    assert client.get(page(gateway)).status_code == 200
    for address in (page(gateway, "test"), page(gateway, "switch"), page(gateway)):
        assert client.post(address, FORM).status_code == 403
    assert client.get(reverse("admin:messaging_route_changelist")).status_code == 200


# Routes ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(it):
    return [routes.add(carrier=Carrier.MOBILE, gateway=rows.gateway(), by=it) for _n in range(3)]


def order():
    return list(Route.objects.filter(carrier="mobile").order_by("position").values_list("pk", flat=True))


def test_a_gateway_goes_up_and_down(client, three):
    first, second, third = three
    seen = " ".join(str(row.uuid) for row in three)
    up = reverse("admin:messaging_route_act", args=[third.uuid, "up"])
    client.post(up, {"seen": seen})
    client.post(up, {"seen": seen})  # the second click saw the old order
    assert order() == [first.pk, third.pk, second.pk]
    assert client.get(reverse("admin:messaging_route_changelist")).status_code == 200


def test_two_who_move_at_once(three, it):
    seen = [row.uuid for row in three]
    routes.move(route=three[1], up=True, seen=seen, by=it)
    with pytest.raises(Conflict):
        routes.move(route=three[2], up=True, seen=seen, by=it)


def test_strange_orders(client, three):
    for what, status in (("sideways", 404), ("up", 302), ("off", 302)):
        assert (
            client.post(reverse("admin:messaging_route_act", args=[three[0].uuid, what])).status_code
            == status
        )
    assert client.post(reverse("admin:messaging_route_put"), {"gateway": "x"}).status_code == 404


# Ported numbers -------------------------------------------------------------------------------------------------------


def bring(client, text, name="x.csv", **data):
    content = text if isinstance(text, bytes) else text.encode()
    given = {"file": SimpleUploadedFile(name, content), **data}
    return client.post(reverse("admin:messaging_numberoverride_import"), given)


def test_a_trial_run_writes_nothing_and_the_last_line_counts(client, it):
    report = bring(client, LIST).context["report"]
    assert (report.rows, report.new, report.repeated, report.refused) == (5, 2, 1, 2)
    assert [row for row, _sentence in report.faults] == [5, 6]
    assert not NumberOverride.objects.exists()
    bring(client, LIST, write="1")
    assert dict(NumberOverride.objects.values_list("phone", "carrier")) == {
        "13800138000": "unicom", "13800138001": "mobile",
    }  # fmt: skip
    again = bring(client, LIST, write="1").context["report"]
    assert (again.new, again.changed, again.same) == (0, 0, 2)


def test_a_newer_list_changes_many_in_few_statements(it, django_assert_max_num_queries):
    """A hundred thousand numbers in seconds: no statement a number, none that lists cases for thousands."""
    before = timezone.now() - timedelta(days=1)
    for words, now in ((["联通"], before), (["电信", "移动"], timezone.now())):
        lines = [(n, f"138{n:08d}", words[n % len(words)]) for n in range(200)]
        with django_assert_max_num_queries(20) as queries:
            report = routes.import_numbers(lines=lines, by=it, dry_run=False, now=now)
        assert not any(" WHEN " in query["sql"] for query in queries)
    assert report.changed == 200
    row = NumberOverride.objects.get(phone="13800000001")
    assert (row.carrier, row.source, row.learnt_at) == ("mobile", "import", now)
    assert list(row.history.values_list("carrier", "history_user__username")) == [("mobile", it.username), ("unicom", it.username)]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"PK\x03\x04broken",
        b"a,b\n1,2\n",
        b"phone,carrier\n",
        b"\xff" * 5000,
        b'"' * 5000,
    ],
)
def test_a_hostile_file_is_told_in_a_sentence(client, it, content):
    answer = bring(client, content, name="x.xlsx")
    assert (answer.status_code, bool(answer.context["refusal"])) == (400, True)
    assert not NumberOverride.objects.exists()


def test_formulas_and_strange_cells_are_passed_over(client, it):
    text = (
        "手机号码,运营商\n=cmd|'/c calc'!A1,联通\n13800138000,=1+1\n\u202e13800138000,联通\n"
        + "9" * 4000
        + ",移动\n"
    )
    report = bring(client, text, write="1").context["report"]
    assert (report.new, report.refused) == (1, 3)


def test_many_numbers_are_quick(it):
    lines = ((n, f"138{n:08d}", "联通") for n in range(4000))
    report = routes.import_numbers(lines=lines, by=it, dry_run=False)
    assert (report.new, NumberOverride.history.count()) == (4000, 4000)


def test_by_hand_a_number_is_written_anew(client, it):
    for carrier in ("unicom", "telecom"):
        client.post(
            reverse("admin:messaging_numberoverride_add"), {"phone": "+86 138 0013 8000", "carrier": carrier}
        )
    row = NumberOverride.objects.get()
    assert (row.phone, row.carrier, row.source) == ("13800138000", "telecom", OverrideSource.PERSON)


@pytest.mark.django_db(transaction=True)
def test_the_same_list_twice_at_once(it):
    lines = [(n, f"138{n:08d}", "联通") for n in range(50)]
    at_once(*(lambda: routes.import_numbers(lines=lines, by=it, dry_run=False) for _n in range(2)))
    assert NumberOverride.objects.count() == 50


def test_an_excel_file_with_numbers_for_phones(client, it):
    book, out = Workbook(), io.BytesIO()
    for line in (["手机号", "运营商"], [13800138000, "联通"], [13800138001.0, "电信"]):
        book.active.append(line)
    book.save(out)
    assert bring(client, out.getvalue(), name="x.xlsx").context["report"].new == 2
