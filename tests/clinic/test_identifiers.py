"""Numbers that name a person: what is accepted, what is refused, and how they are masked."""

import contextlib
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from clinic import identifiers
from clinic.codes import IdType, Sex

# A loaded machine is no wrong number.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
KNOWN = "11010519491231002X"
born = st.dates(date(1900, 1, 1), date(2024, 12, 31))
areas = st.integers(110000, 659999).map(str)
orders = st.integers(0, 999).map("{:03d}".format)


def whole(area, day, order):
    body = f"{area}{day:%Y%m%d}{order}"
    return body + ric.calc_check_digit(body + "0")


def code_of(id_type, number):
    with pytest.raises(ValidationError) as refusal:
        identifiers.check_id(id_type, number)
    return refusal.value.code


@given(areas, born, orders)
def test_a_valid_number_is_accepted_and_tells_birth_and_sex(area, day, order):
    number = whole(area, day, order)
    identifiers.check_id(IdType.RESIDENT, number)
    sex = Sex.MALE if int(order) % 2 else Sex.FEMALE
    assert identifiers.facts_of_id(IdType.RESIDENT, number) == (day, sex)


@given(areas, born, orders, st.integers(0, 16), st.integers(1, 9))
def test_each_mistyped_digit_is_refused(area, day, order, place, shift):
    number = whole(area, day, order)
    wrong = (int(number[place]) + shift) % 10
    typo = f"{number[:place]}{wrong}{number[place + 1 :]}"
    assert code_of(IdType.RESIDENT, typo) in {"id_check", "id_date", "id_form", "id_type"}


@given(areas, born, orders)
def test_a_wrong_check_digit_is_refused(area, day, order):
    number = whole(area, day, order)
    for last in set("0123456789X") - {number[-1]}:
        assert code_of(IdType.RESIDENT, number[:-1] + last) == "id_check"


@given(areas, st.dates(date(1900, 1, 1), date(1999, 12, 31)), orders)
def test_an_old_15_digit_number_is_upgraded(area, day, order):
    old = f"{area}{day:%y%m%d}{order}"
    assert identifiers.upgrade_15(old) == whole(area, day, order)


def test_other_lengths_are_not_upgraded():
    assert identifiers.upgrade_15("1101055312310") == "1101055312310"


@pytest.mark.parametrize(
    "typed", ["11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", " 110105-19491231-002x "]
)
def test_lower_case_full_width_and_blanks_become_plain(typed):
    assert identifiers.normalise_id(typed) == KNOWN


@pytest.mark.parametrize(
    "typed", ["١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "11010519491231002", "01010519491231002X", KNOWN + "\n0", "𠮷" * 18]
)
def test_other_scripts_and_forms_are_refused(typed):
    assert code_of(IdType.RESIDENT, typed) == "id_form"


def test_a_birth_date_in_the_future_is_refused():
    tomorrow = date.today() + timedelta(days=1)
    assert code_of(IdType.RESIDENT, whole("110105", tomorrow, "002")) == "id_date"


def test_a_day_that_no_calendar_has_is_refused():
    body = "11010519490230002"
    assert code_of(IdType.RESIDENT, body + ric.calc_check_digit(body + "0")) == "id_date"


@pytest.mark.parametrize("area", ["810000", "820000", "830000"])
def test_a_residence_permit_is_its_own_id_type(area):
    number = whole(area, date(1980, 5, 1), "013")
    identifiers.check_id(IdType.HK_MACAO_TAIWAN, number)
    assert code_of(IdType.RESIDENT, number) == "id_type"
    assert identifiers.facts_of_id(IdType.HK_MACAO_TAIWAN, number) == (date(1980, 5, 1), Sex.MALE)


def test_an_identity_card_is_no_residence_permit():
    assert code_of(IdType.HK_MACAO_TAIWAN, KNOWN) == "id_type"


def test_a_foreigners_card_of_2023_carries_a_check_digit():
    number = whole("911840", date(1988, 7, 4), "015")
    identifiers.check_id(IdType.FOREIGN, number)
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    assert code_of(IdType.FOREIGN, wrong) == "id_check"


def test_older_foreigners_cards_passports_and_birth_certificates_have_their_forms():
    identifiers.check_id(IdType.FOREIGN, "CAN110088070401")
    identifiers.check_id(IdType.PASSPORT, "E12345678")
    identifiers.check_id(IdType.BIRTH, "U110012345")
    assert code_of(IdType.PASSPORT, "<script>") == "id_form"


@given(st.sampled_from(list(IdType)), st.text(max_size=40))
def test_any_text_is_accepted_or_refused_never_an_error(id_type, text):
    with contextlib.suppress(ValidationError):
        identifiers.check_id(id_type, identifiers.normalise_id(text))


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("11010500100100001", True), ("11010500110100001", True), ("11010500190100001", True),
        ("11010500100000001", False), ("11010500120000001", False), ("11010500100100000", False),
        ("1101050010010001", False), ("1101050010010000x", False), ("", False),
    ],
)  # fmt: skip
def test_record_numbers_name_a_committee_and_a_person(number, good):
    if good:
        identifiers.validate_record_number(number)
    else:
        with pytest.raises(ValidationError):
            identifiers.validate_record_number(number)


@given(st.text(max_size=30))
def test_a_mask_hides_the_middle_and_keeps_the_length(number):
    masked = identifiers.mask_id(number)
    assert len(masked) == len(number)
    assert masked[3:-4] == "*" * max(len(number) - 7, 0)


@pytest.mark.parametrize(
    "typed", ["+86 138 0013 8000", "86-13800138000", "008613800138000", "１３８００１３８０００"]
)
def test_a_phone_is_kept_as_digits_without_the_country(typed):
    assert identifiers.normalise_phone(typed) == "13800138000"
