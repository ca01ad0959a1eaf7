"""What residents agreed to and refused: the last word counts, written once, by whom it is shown."""

import pytest
from django.db import Error, connection, transaction
from django.urls import reverse

from clinic.actions import residents
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import AuditEntry
from messaging import consent
from messaging.actions.consent import set_consent
from messaging.codes import ConsentSource, Purpose
from messaging.models import Consent
from tests import factories
from tests.emr.test_races import at_once
from tests.messaging import rows as campaigns

pytestmark = pytest.mark.django_db
EDUCATION = Purpose.EDUCATION


def say(resident, by, given, purpose=EDUCATION, source=ConsentSource.DESK, document=""):
    return set_consent(
        resident=resident, purpose=purpose, given=given, source=source, document=document, by=by
    )


def test_the_last_word_counts(resident, clerk):
    for given in (True, False, True, False):
        say(resident, clerk, given)
    assert consent.willing([resident.pk], EDUCATION) == set()
    assert consent.of([resident.pk])[EDUCATION].given is False
    assert consent.willing([resident.pk], Purpose.FOLLOW_UP) == {resident.pk}


def test_silence_is_no_consent_where_a_yes_is_wanted(resident, station, clerk, settings):
    agreed, silent = resident, factories.resident(station)
    say(agreed, clerk, True)
    assert consent.willing([agreed.pk, silent.pk], EDUCATION) == {agreed.pk, silent.pk}
    settings.SMS_CONSENT_PURPOSES = [EDUCATION]
    assert consent.willing([agreed.pk, silent.pk], EDUCATION) == {agreed.pk}
    assert consent.willing([agreed.pk, silent.pk], Purpose.FOLLOW_UP) == {agreed.pk, silent.pk}


def test_nobody_is_asked_about_emergencies(resident, settings, clerk):
    settings.SMS_CONSENT_PURPOSES = [Purpose.EMERGENCY]
    assert consent.willing([resident.pk], Purpose.EMERGENCY) == {resident.pk}
    with pytest.raises(Refused):
        say(resident, clerk, False, purpose=Purpose.EMERGENCY)


def test_the_word_of_an_absorbed_row_is_the_person_s(resident, station, clerk):
    double = factories.resident(station, id_number="")
    say(double, clerk, False)
    residents.merge(survivor=resident, absorbed=double, reason="同一人", by=clerk)
    assert consent.willing([resident.pk], EDUCATION) == set()
    say(resident, clerk, True)
    assert consent.willing([resident.pk], EDUCATION) == {resident.pk}


def test_a_no_takes_back_what_waits_for_this_purpose(resident, station, clerk):
    """Of this person and purpose alone; what is on the wire stays."""
    other = factories.resident(station)
    waiting, going, reminder, theirs = (
        campaigns.message(campaigns.campaign(station, purpose=purpose), resident=whose)
        for purpose, whose in [
            (EDUCATION, resident), (EDUCATION, resident), (Purpose.FOLLOW_UP, resident), (EDUCATION, other),
        ]
    )  # fmt: skip
    campaigns.move(going, "submitted")
    say(resident, clerk, False)
    for row, state in (
        (waiting, "cancelled"),
        (going, "submitted"),
        (reminder, "queued"),
        (theirs, "queued"),
    ):
        row.refresh_from_db()
        assert row.state == state


def test_many_are_asked_about_at_once(station, clerk, django_assert_num_queries):
    people = [factories.resident(station) for _n in range(5)]
    with django_assert_num_queries(1):
        assert consent.willing([one.pk for one in people], EDUCATION) == {one.pk for one in people}


def test_a_word_is_recorded_once(resident, clerk):
    made = say(resident, clerk, False, document="“不要发了”")
    assert say(resident, clerk, False, document="“不要发了”") == made
    entry = AuditEntry.objects.get(act=Act.CONSENT)
    assert entry.detail == {"purpose": "education", "given": False, "source": "desk"}
    assert "不要发了" not in str(entry.detail)


def test_a_word_is_never_unsaid(resident, clerk):
    made = say(resident, clerk, False)
    with pytest.raises(Error, match="permission denied"), transaction.atomic():
        Consent.objects.filter(pk=made.pk).update(given=True)
    with pytest.raises(Error, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_consent")


@pytest.mark.parametrize(
    "wrong",
    [
        {"purpose": "advertising"}, {"given": None}, {"given": "yes"}, {"source": "telepathy"},
        {"document": "x" * 201}, {"document": "a\x00b"}, {"document": "\ud800"},
    ],
)  # fmt: skip
def test_what_cannot_be_written(resident, clerk, wrong):
    facts = {"purpose": EDUCATION, "given": True, "source": ConsentSource.DESK, "document": "", **wrong}
    with pytest.raises(Refused):
        set_consent(resident=resident, by=clerk, **facts)
    assert not Consent.objects.exists()


def test_only_of_one_s_own_people(resident, stranger, station):
    with pytest.raises(Forbidden):
        say(resident, stranger, False)
    with pytest.raises(Forbidden):
        say(resident, factories.user(Role.ASSISTANT, station), False)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_are_one_word(resident, clerk):
    outcomes = at_once(lambda: say(resident, clerk, False), lambda: say(resident, clerk, False))
    assert outcomes[0] == outcomes[1]
    assert Consent.objects.count() == 1


# Pages ----------------------------------------------------------------------------------------------------------------


def test_one_click_on_the_resident_s_page(client, doctor, resident):
    client.force_login(doctor)
    page = client.get(reverse("resident", args=[resident.uuid])).content.decode()
    address = reverse("consent-set", args=[resident.uuid])
    assert page.count(f'action="{address}"') == 4
    answer = client.post(address, {"purpose": EDUCATION, "word": "no"})
    assert answer.url == reverse("resident", args=[resident.uuid])
    assert Consent.objects.get().given is False


@pytest.mark.parametrize(
    "data", [{}, {"purpose": "x", "word": "no"}, {"purpose": "education", "word": "perhaps"}]
)
def test_a_strange_click_writes_nothing(client, doctor, resident, data):
    client.force_login(doctor)
    assert client.post(reverse("consent-set", args=[resident.uuid]), data).status_code == 302
    assert not Consent.objects.exists()


def test_a_hidden_resident_is_not_there(client, stranger, resident, other_station):
    data = {"purpose": EDUCATION, "word": "no"}
    client.force_login(stranger)
    assert client.post(reverse("consent-set", args=[resident.uuid]), data).status_code == 404
    client.force_login(factories.user(Role.CLERK, other_station))
    assert client.get(reverse("admin:messaging_consent_of", args=[resident.uuid])).status_code == 404


def test_the_desk_writes_and_shows_all_that_was_said(client, clerk, resident):
    client.force_login(clerk)
    address = reverse("admin:messaging_consent_of", args=[resident.uuid])
    for word in ("yes", "no"):
        data = {"purpose": EDUCATION, "word": word, "source": "form", "document": f"表单{word}"}
        assert client.post(address, data).status_code == 302
    page = client.get(address).content.decode()
    assert page.index("表单no") < page.rindex("表单yes")
    assert client.get(reverse("admin:messaging_consent_changelist")).status_code == 200
    assert AuditEntry.objects.filter(act=Act.VIEW, resident=str(resident.uuid)).exists()
