"""How an institution sends: inherited down the tree; quiet over midnight; templates written with the same rules."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from clinic.codes import Role
from clinic.errors import Forbidden, Refused
from messaging import practice
from messaging.actions import filters, templates
from messaging.actions import practice as keeping
from messaging.models import SendingPractice, SmsTemplate
from tests import factories

SHANGHAI = ZoneInfo("Asia/Shanghai")


def choices(begin, end):
    return practice.Choices("社区卫生", time.fromisoformat(begin), time.fromisoformat(end), 200, True)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("begin", "end", "now", "allowed"),
    [
        ("20:00", "08:00", "2026-11-23T19:59:59", None), ("20:00", "08:00", "2026-11-23T20:00", "2026-11-24T08:00"),
        ("20:00", "08:00", "2026-11-23T23:59", "2026-11-24T08:00"),
        ("20:00", "08:00", "2026-11-24T00:00", "2026-11-24T08:00"),
        ("20:00", "08:00", "2026-11-24T07:59:59", "2026-11-24T08:00"), ("20:00", "08:00", "2026-11-24T08:00", None),
        ("20:00", "08:00", "2026-12-31T22:00", "2027-01-01T08:00"),
        ("12:00", "14:00", "2026-11-23T13:00", "2026-11-23T14:00"), ("12:00", "14:00", "2026-11-23T14:00", None),
        ("00:00", "00:00", "2026-11-23T00:00", None), ("09:00", "09:00", "2026-11-23T09:00", None),
    ],
)  # fmt: skip
def test_quiet_hours(begin, end, now, allowed):
    kept = choices(begin, end)
    assert practice.is_quiet(kept, at(now)) == (allowed is not None)
    assert practice.next_allowed(kept, at(now)) == at(allowed or now)


def test_quiet_hours_are_those_of_shanghai():
    noon_elsewhere = datetime(2026, 11, 23, 12, 30, tzinfo=ZoneInfo("UTC"))  # 20:30 here
    assert practice.is_quiet(choices("20:00", "08:00"), noon_elsewhere)


@pytest.mark.django_db
def test_what_is_left_open_comes_from_above(station, centre, manager, district):
    assert practice.of(station).signature == settings.SMS_SIGNATURE
    SendingPractice.objects.create(institution=district, signature="区社管中心", approval_above=50)
    SendingPractice.objects.create(
        institution=centre, signature="梧桐中心", quiet_from="21:00", quiet_to="07:00"
    )
    SendingPractice.objects.create(institution=station, approval_above=0, retry_next_day=False)
    kept = practice.of(station)
    assert (kept.signature, kept.approval_above, kept.retry_next_day) == ("梧桐中心", 0, False)
    assert (kept.quiet_from, kept.quiet_to) == (time(21), time(7))
    assert practice.of(centre).approval_above == 50


@pytest.mark.django_db
@pytest.mark.parametrize("signature", ["一", "长" * 33, "【社区】", "社区😀"])
def test_a_signature_that_no_carrier_takes_is_refused(centre, manager, signature):
    with pytest.raises(Refused):
        keeping.keep(institution=centre, by=manager, signature=signature)


@pytest.fixture
def keep(centre, manager):
    def go(**given):
        given = {
            "institution": centre,
            "name": "流感",
            "purpose": "service",
            "body": "您好",
            "by": manager,
            **given,
        }
        return templates.keep(**given)

    return go


@pytest.mark.django_db
def test_templates_keep_to_the_rules_of_texts(keep):
    for body in ("", "{nobody}", "【他】", "好" * 9_000_000, "您好\0"):
        with pytest.raises(Refused) as refused:
            keep(body=body)
        assert refused.value.code == "text"
    assert not SmsTemplate.objects.exists()


@pytest.mark.django_db
def test_who_writes_templates(keep, nurse, clerk, other_station):
    for who in (nurse, clerk):
        with pytest.raises(Forbidden):
            keep(by=who)
    with pytest.raises(Forbidden):
        keep(by=factories.user(Role.MANAGER, other_station))


@pytest.mark.django_db
def test_one_name_once_and_changed_with_its_history(keep):
    row = keep()
    with pytest.raises(Refused) as refused:
        keep()
    assert refused.value.code == "taken"
    assert keep(row=row, body="您好！").body == "您好！"
    assert row.history.count() == 2


@pytest.mark.django_db
def test_a_template_from_above_is_not_taken_over(keep, station):
    row = keep()
    below = factories.user(Role.MANAGER, station)
    with pytest.raises(Forbidden):
        keep(row=row, institution=station, by=below)
    row.refresh_from_db()
    assert row.institution != station


@pytest.mark.django_db
def test_a_filter_of_unknown_words_is_refused(centre, manager, other_station):
    given = {"institution": centre, "name": "老人", "active": True, "by": manager}
    for criteria in ({"home__path": "/"}, {"age_from": "65"}, {"source": "selection", "residents": ["x"]}):
        with pytest.raises(Refused) as refused:
            filters.keep(criteria=criteria, **given)
        assert refused.value.code == "audience"
    kept = filters.keep(criteria={"age_from": 65}, **given)
    stranger = factories.user(Role.MANAGER, other_station)
    with pytest.raises(Forbidden):
        filters.keep(row=kept, **{**given, "criteria": {}, "by": stranger, "institution": other_station})
