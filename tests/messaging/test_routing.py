"""Whose network a number is on, and which gateways lead there."""

import time
from datetime import timedelta

import phonenumbers
import pytest
from django.utils import timezone
from phonenumbers import carrier as phone_carriers

from messaging import routing
from messaging.codes import Carrier, OverrideSource
from messaging.models import NumberOverride, Route
from tests.messaging import rows

NOW = timezone.now()


@pytest.mark.parametrize(
    "text",
    [
        "13800138000", "138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "+8613800138000", "008613800138000",
        "8613800138000", "013800138000", "１３８００１３８０００", "+８６ 138－0013－8000", "138\u200b00138000",
        "（138）0013·8000", " 13800138000\t",
    ],
)  # fmt: skip
def test_a_mobile_number_has_one_form(text):
    assert (routing.normalise(text), routing.kind(text)) == ("13800138000", "mobile")


@pytest.mark.parametrize(
    "text",
    [
        "010-62345678",
        "（0571）87654321",
        "62345678",
        "+86 10 6234 5678",
        "0571-87654321转801",
        "400-800-1234",
        "12345",
        "95533",
    ],
)
def test_a_landline_is_told_apart(text):
    assert (routing.normalise(text), routing.kind(text)) == (None, "landline")


@pytest.mark.parametrize(
    "text",
    [
        "1380013800", "138001380001", "23800138000", "12800138000", "13800138000/13900139000", "x", "+1 650 253 0000",
        "13800138000x", "٠١٣٨٠٠١٣٨٠٠٠", "1" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_read(text):
    assert (routing.normalise(text), routing.kind(text)) == (None, "bad")


@pytest.mark.parametrize("text", ["", None, "  ", "　"])
def test_no_number(text):
    assert (routing.normalise(text), routing.kind(text)) == (None, "empty")


@pytest.mark.parametrize(
    ("prefix", "carrier"),
    [
        ("138", "mobile"), ("130", "unicom"), ("133", "telecom"), ("1340", "mobile"), ("1349", "telecom"),
        ("162", "telecom"), ("165", "mobile"), ("167", "unicom"), ("1700", "telecom"), ("1703", "mobile"),
        ("1709", "unicom"), ("171", "unicom"), ("146", "unicom"), ("148", "mobile"), ("149", "telecom"),
        ("1740", "telecom"), ("1745", "telecom"), ("192", "broadnet"), ("1610", "broadnet"), ("199", "telecom"),
        ("154", "other"), ("164", "other"), ("1611", "other"),
    ],
)  # fmt: skip
def test_the_carrier_of_a_prefix(prefix, carrier):
    assert routing.carrier(prefix.ljust(11, "3"), {}) == carrier


def test_the_table_agrees_with_the_library_where_it_knows():
    """Ten numbers of every four digits: what is ours is only what the library leaves open."""
    names = {**routing.NAMES, "": None}
    for prefix in range(1300, 2000):
        for tail in ("0000000", "9999999", "1234567"):
            number = phonenumbers.PhoneNumber(country_code=86, national_number=int(f"{prefix}{tail}"))
            theirs = names[phone_carriers.name_for_number(number, "en")]
            assert theirs in (None, routing.carrier(f"{prefix}{tail}", {}))


def test_virtual_operators_by_the_default_where_a_district_wants_it(settings, monkeypatch):
    settings.SMS_VIRTUAL_BY_HOST = False
    monkeypatch.setattr(routing, "_known", {})
    assert {routing.carrier(f"{prefix}00000000", {}) for prefix in ("162", "165", "167", "170", "171")} == {
        "other"
    }


def test_a_million_numbers_take_seconds():
    phones = [f"1{number:010d}" for number in range(3_000_000_000, 9_999_999_999, 70_000)]
    begin = time.perf_counter()
    for phone in phones:
        routing.carrier(phone, {})
    assert len(phones) / (time.perf_counter() - begin) > 300_000


def test_strange_text_fills_no_memory():
    before = len(routing._known)
    for number in range(100):
        routing.carrier(f"x{number}", {})
    assert len(routing._known) == before


# Learnt ---------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_ported_number_goes_to_its_carrier_while_that_is_believed(settings):
    made = routing.learn("13800138000", Carrier.UNICOM, OverrideSource.REFUSAL, NOW)
    assert made.until == NOW + timedelta(days=settings.SMS_OVERRIDE_DAYS)
    for later, found in (
        (timedelta(days=1), "unicom"),
        (timedelta(days=settings.SMS_OVERRIDE_DAYS + 1), "mobile"),
    ):
        learnt = routing.overrides(["13800138000", "13900139000"], NOW + later)
        assert routing.carrier("13800138000", learnt) == found


@pytest.mark.django_db
def test_what_the_prefix_says_is_nothing_new():
    assert routing.learn("13800138000", Carrier.MOBILE, OverrideSource.REFUSAL, NOW) is None
    assert routing.learn("13800138000", Carrier.OTHER, OverrideSource.REFUSAL, NOW) is None
    assert routing.learn("010-62345678", Carrier.UNICOM, OverrideSource.REFUSAL, NOW) is None
    assert not NumberOverride.objects.exists()


@pytest.mark.django_db
def test_a_number_that_came_home_is_home():
    routing.learn("13800138000", Carrier.UNICOM, OverrideSource.PERSON, NOW)
    routing.learn("13800138000", Carrier.MOBILE, OverrideSource.REFUSAL, NOW)
    assert routing.overrides(["13800138000"], NOW) == {"13800138000": Carrier.MOBILE}
    assert NumberOverride.objects.get().history.count() == 2


@pytest.mark.django_db
def test_many_numbers_are_asked_about_at_once(django_assert_num_queries):
    with django_assert_num_queries(1):
        routing.overrides([f"138{number:08d}" for number in range(5000)], NOW)


# Routes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_carrier_without_a_route_goes_by_the_default():
    own, default, off = rows.gateway(), rows.gateway(carrier=Carrier.OTHER), rows.gateway()
    off.active = False
    off.save()
    for carrier, position, gateway, active in (
        ("mobile", 2, default, True), ("mobile", 1, own, True), ("other", 1, default, True),
        ("unicom", 1, off, True), ("telecom", 1, own, False),
    ):  # fmt: skip
        Route.objects.create(carrier=carrier, position=position, gateway=gateway, active=active)
    assert routing.table() == {
        "mobile": [own.pk, default.pk], "broadnet": [own.pk, default.pk], "unicom": [default.pk],
        "telecom": [default.pk], "other": [default.pk],
    }  # fmt: skip


@pytest.mark.django_db
def test_without_any_route_nothing_leads_anywhere():
    assert routing.table() == {carrier: [] for carrier in Carrier}
