"""A word that ends all messages: understood however it is written, honoured at once, by everybody, provably."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from messaging import consent, optout
from messaging.actions.consent import end_opt_out, opt_out
from messaging.codes import ConsentSource, Meaning
from messaging.models import Attempt, IncomingMessage, Message, OptOut
from tests import factories
from tests.emr.test_races import at_once
from tests.messaging import rows
from tests.messaging.dispatching import rows as dispatching

pytestmark = pytest.mark.django_db
PHONE = "13800138000"


@pytest.mark.parametrize(
    "text",
    [
        "T", "t", "TD", "td", "Td", "N", "R", "STOP", "stop", "退订", "拒收", "停止推送", " TD ", "ＴＤ", "ｓｔｏｐ",
        "　退订　", "退订。", "TD！", "“退订”", "【退订】", "T.", "R\n", "\u200bTD\ufeff", "TD 退订", "请退订，谢谢", "回复TD",
        "我要退订", "退订短信", "退訂", "《TD》", "t\u0000d".replace("\u0000", ""),
    ],
)  # fmt: skip
def test_words_that_end_it(text):
    assert optout.meaning(text) == Meaning.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "。", "好的", "收到", "谢谢", "不退订", "TDTD", "Trump", "no", "我想问一下退订怎么办", "请问几点开门？T大夫在吗",
        "取消预约", "1", "👍", "N95", "请", "拒绝治疗", "R" * 500, "退" * 100_000,
    ],
)  # fmt: skip
def test_words_that_do_not(text):
    assert optout.meaning(text) == Meaning.OTHER


def heard(phone=PHONE, text="TD", gateway=None):
    return IncomingMessage.objects.create(
        uuid=uuid.uuid4(), gateway=gateway or rows.gateway(), remote_id=uuid.uuid4().hex, phone=phone, to="1069",
        text=text, meaning=optout.meaning(text), year=2026,
    )  # fmt: skip


def states():
    return sorted(Message.objects.values_list("state", "reason"))


def waiting(station, phone=PHONE, count=1):
    """So many campaigns with one queued message each to this phone."""
    people = [factories.resident(station, phone=phone) for _n in range(count)]
    return [rows.message(rows.campaign(station), person) for person in people]


def test_it_is_honoured_in_every_campaign(station):
    waiting(station, count=3)
    waiting(station, phone="13900139000")
    said = heard()
    assert optout.honour([(PHONE, said)], timezone.now()) == 3
    assert states() == [("cancelled", "opted_out")] * 3 + [("queued", "")]
    row = OptOut.objects.get()
    assert (row.incoming, row.source, row.history.count()) == (said, "sms", 1)


def test_again_changes_nothing(station):
    first = heard()
    optout.honour([(PHONE, first)], timezone.now())
    assert optout.honour([(PHONE, heard())], timezone.now()) == 0
    assert optout.honour([], timezone.now()) == 0
    assert OptOut.objects.get().incoming == first


def test_what_is_on_the_wire_or_done_stays(station):
    campaign = rows.campaign(station)
    for state in ("submitted", "delivered", "failed", "unknown", "expired"):
        rows.message(campaign, factories.resident(station, phone=PHONE), state)
    flying = rows.message(campaign, factories.resident(station, phone=PHONE), "claimed")
    flying.on_wire = True
    flying.save(update_fields=["on_wire"])
    assert optout.honour([(PHONE, heard())], timezone.now()) == 0


def test_a_claim_that_has_not_begun_is_cancelled(station):
    (message,) = waiting(station)
    rows.move(message, "claimed")
    assert optout.honour([(PHONE, heard())], timezone.now()) == 1
    message.refresh_from_db()
    assert (message.state, message.claimed_by, message.gateway_id) == ("cancelled", "", None)


def test_numbers_are_asked_about_at_once(django_assert_num_queries):
    optout.honour([(PHONE, heard())], timezone.now())
    with django_assert_num_queries(1):
        assert consent.refused_phones([PHONE, "13900139000"]) == {PHONE}


# Races, with real transactions ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_an_opt_out_while_a_dispatcher_claims_and_begins(station):
    """Either it is cancelled and was never on a wire, or it had begun before."""
    gateway, proof = dispatching.gateway(), heard()
    who, campaign = dispatching.owner(gateway), rows.campaign(station)
    for number in range(12):
        phone = f"1380013{number:04d}"
        message = rows.message(campaign, factories.resident(station, phone=phone))
        at_once(
            lambda: dispatching.begin(who, dispatching.claim(who, campaign)),
            lambda phone=phone: optout.honour([(phone, proof)], timezone.now()),
        )
        message.refresh_from_db()
        tried = Attempt.objects.filter(message=message).count()
        assert (message.state, message.on_wire, tried) in {
            ("cancelled", False, 0), ("claimed", True, 1), ("claimed", False, 0),
        }  # fmt: skip
        assert message.state != "claimed" or message.on_wire, "a claim slipped past the opt-out"


@pytest.mark.django_db(transaction=True)
def test_after_an_opt_out_nothing_begins(station):
    """Also what was put into the queue meanwhile, and what was claimed before."""
    gateway = dispatching.gateway()
    who, campaign = dispatching.owner(gateway), rows.campaign(station)
    optout.honour([(PHONE, heard())], timezone.now())
    rows.message(campaign, factories.resident(station, phone=PHONE))
    dispatching.begin(who, dispatching.claim(who, campaign))
    assert states() == [("cancelled", "opted_out")]
    assert not Attempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_messages_from_one_handset_at_once(station):
    waiting(station, count=2)
    gateway = rows.gateway()
    proofs = [heard(gateway=gateway) for _n in range(2)]
    outcomes = at_once(
        *(lambda proof=proof: optout.honour([(PHONE, proof)], timezone.now()) for proof in proofs)
    )
    assert sorted(outcomes) == [0, 2]
    assert OptOut.objects.count() == 1


# At the desk ----------------------------------------------------------------------------------------------------------


def test_said_at_the_desk(station, clerk):
    waiting(station)
    row = opt_out(phone="+86 138-0013-8000", source=ConsentSource.DESK, document="“都别发”", by=clerk)
    assert (row.phone, row.by, row.document) == (PHONE, clerk, "“都别发”")
    assert states() == [("cancelled", "opted_out")]
    assert opt_out(phone=PHONE, source=ConsentSource.FORM, document="再说一次", by=clerk) == row
    entry = AuditEntry.objects.get(act=Act.CONSENT)
    assert entry.detail == {"what": "opt-out", "cancelled": 1}
    assert PHONE not in f"{entry.detail}{entry.reason}{entry.object_id}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "010-62345678"},
        {"phone": "x"},
        {"document": " "},
        {"source": "sms"},
        {"document": "x" * 201},
    ],
)
def test_what_is_no_opt_out(clerk, wrong):
    facts = {"phone": PHONE, "source": ConsentSource.DESK, "document": "都别发", **wrong}
    with pytest.raises(Refused):
        opt_out(by=clerk, **facts)


def test_it_ends_by_the_person_s_own_word_alone(clerk, manager, station):
    row = opt_out(phone=PHONE, source=ConsentSource.DESK, document="都别发", by=clerk)
    for document, reason in (("", "本人来电"), ("“再发吧”", "")):
        with pytest.raises(Refused):
            end_opt_out(opt_out=row, document=document, reason=reason, by=clerk)
    ended = end_opt_out(opt_out=row, document="“再发吧”", reason="本人来窗口", by=clerk)
    assert (ended.ended_by, ended.ended_document) == (clerk, "“再发吧”")
    assert end_opt_out(opt_out=row, document="又一次", reason="又一次", by=manager).ended_by == clerk
    assert consent.refused_phones([PHONE]) == set()
    assert AuditEntry.objects.filter(act=Act.CONSENT, reason="本人来窗口").count() == 1


def test_a_new_refusal_after_an_end_is_a_new_row(clerk):
    row = opt_out(phone=PHONE, source=ConsentSource.DESK, document="都别发", by=clerk)
    end_opt_out(opt_out=row, document="“再发吧”", reason="本人来窗口", by=clerk)
    again = opt_out(phone=PHONE, source=ConsentSource.DESK, document="还是别发", by=clerk)
    assert again != row
    assert consent.refused_phones([PHONE]) == {PHONE}


def test_rows_are_seen_from_where_the_number_lives(station, other_station, clerk):
    stranger = factories.user(Role.CLERK, other_station)
    factories.resident(station, phone=PHONE)
    said = heard()
    optout.honour([(PHONE, said)], timezone.now())
    for who, seen in ((clerk, 1), (stranger, 0)):
        assert OptOut.objects.visible_to(who).count() == seen
        assert IncomingMessage.objects.visible_to(who).count() == seen
    with pytest.raises(Forbidden):
        end_opt_out(opt_out=OptOut.objects.get(), document="x", reason="x", by=stranger)


def test_a_number_that_changed_hands_is_seen_by_who_wrote_to_it(station, clerk, other_station):
    person = factories.resident(station, phone=PHONE)
    rows.message(rows.campaign(station), person)
    person.phone = "13900139000"
    person.save()
    optout.honour([(PHONE, heard())], timezone.now())
    assert OptOut.objects.visible_to(clerk).count() == 1
    assert OptOut.objects.visible_to(factories.user(Role.CLERK, other_station)).count() == 0


def test_the_desk_shows_the_proof_and_no_number_in_clear(client, station, clerk):
    factories.resident(station, phone=PHONE)
    optout.honour([(PHONE, heard(text="ＴＤ，别再发了"))], timezone.now())
    client.force_login(clerk)
    row = OptOut.objects.get()
    pages = [
        client.get(reverse("admin:messaging_optout_changelist")),
        client.get(reverse("admin:messaging_optout_change", args=[row.uuid])),
        client.get(reverse("admin:messaging_optout_version", args=[row.uuid, 1])),
        client.get(reverse("admin:messaging_incomingmessage_changelist")),
        client.post(reverse("admin:messaging_optout_find"), {"q": "138 0013 8000"}),
    ]
    assert [page.status_code for page in pages] == [200] * 5
    texts = [page.content.decode() for page in pages]
    assert all("138****8000" in text for text in texts)
    assert all(PHONE not in text for text in texts[:4])
    assert "ＴＤ，别再发了" in texts[1]


def test_the_desk_writes_one_by_hand_and_ends_it(client, clerk):
    client.force_login(clerk)
    data = {"phone": "138 0013 8000", "source": "desk", "document": "都别发"}
    answer = client.post(reverse("admin:messaging_optout_add"), data)
    row = OptOut.objects.get()
    assert answer.url == reverse("admin:messaging_optout_change", args=[row.uuid])
    again = client.post(reverse("admin:messaging_optout_add"), data)
    assert (again.status_code, OptOut.objects.count()) == (302, 1)
    end = reverse("admin:messaging_optout_end", args=[row.uuid])
    assert client.get(end).status_code == 403
    client.post(end, {"document": "“再发吧”", "reason": "本人来窗口"})
    assert OptOut.objects.get().ended_at


def test_a_landline_at_the_desk_is_told_at_its_field(client, clerk):
    client.force_login(clerk)
    data = {"phone": "010-62345678", "source": "desk", "document": "都别发"}
    answer = client.post(reverse("admin:messaging_optout_add"), data)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not OptOut.objects.exists()
