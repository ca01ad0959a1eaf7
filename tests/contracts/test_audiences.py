"""Campaigns about agreements: who is meant, asked on the campaign's own page, and what the text says of each."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from clinic.errors import Refused
from messaging import audiences, building
from messaging.models import Campaign, Message
from tests import factories
from tests.contracts import desk_build as build

TODAY = timezone.localdate


@pytest.fixture
def scene(db, district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    return {"station": station, "team": build.team(station), "other": build.team(station, "二队"),
            "clerk": factories.user(Role.CLERK, station)}  # fmt: skip


def signed(scene, days, team="team", **given):
    end = TODAY() + timedelta(days=days)
    return build.agreement(
        factories.resident(scene["station"]), scene[team], start=end - timedelta(days=364), end=end, **given
    )


def meant(scene, **audience):
    return set(audiences.resolve(audience, scene["station"]))


def test_those_that_end_between_two_days(scene):
    first, last = str(TODAY()), str(TODAY() + timedelta(days=30))
    inside, edge, beyond = signed(scene, 3), signed(scene, 30, "other"), signed(scene, 31)
    assert meant(scene, source="agreements-ending", first=first, last=last) == {
        inside.resident,
        edge.resident,
    }
    of_one = meant(scene, source="agreements-ending", first=first, last=last, team=str(scene["team"].uuid))
    assert of_one == {inside.resident}
    assert beyond.resident in meant(scene, source="team-residents", team=str(scene["team"].uuid))


def test_signed_but_not_served(scene):
    idle, served = signed(scene, 200), signed(scene, 200)
    served.last_served_on = TODAY()
    served.save()
    assert meant(scene, source="not-served") == {idle.resident}


@pytest.mark.parametrize(
    "audience",
    [
        {"source": "agreements-ending"}, {"source": "agreements-ending", "first": "x", "last": "2026-01-01"},
        {"source": "agreements-ending", "first": "2026-02-01", "last": "2026-01-01"}, {"source": "team-residents"},
        {"source": "team-residents", "team": "x"}, {"source": "not-served", "what": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_words_that_are_none_are_refused(scene, audience):
    with pytest.raises(Refused):
        audiences.resolve(audience, scene["station"])


def posted(scene, **more):
    return {
        "key": str(uuid.uuid4()), "institution": str(scene["station"].uuid), "purpose": "agreement",
        "body": "{name}您好，您与{team}的协议{last_day}到期。", "source": "agreements-ending",
        "agreements-ending-first": str(TODAY()), "agreements-ending-last": str(TODAY() + timedelta(days=60)), **more,
    }  # fmt: skip


def test_a_campaign_from_the_page_to_the_words_of_each(scene, client, django_capture_on_commit_callbacks):
    made = signed(scene, 20)
    client.force_login(scene["clerk"])
    answer = client.post(reverse("admin:messaging_campaign_add"), posted(scene))
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    building.build(Campaign.objects.get(), timezone.now())
    assert f"一队的协议{made.end}到期" in Message.objects.get().text


def test_boxes_of_people_who_were_not_chosen_stop_no_browser(scene, client):
    client.force_login(scene["clerk"])
    page = client.get(reverse("admin:messaging_campaign_add")).content.decode()
    boxes = re.findall(r'<(?:input|select)[^>]*name="(?:agreements|team)[^>]*>', page)
    assert boxes
    assert not [box for box in boxes if " required" in box]


def test_what_is_missing_is_said_and_nothing_made(scene, client):
    client.force_login(scene["clerk"])
    answer = client.post(
        reverse("admin:messaging_campaign_add"), posted(scene, **{"agreements-ending-last": ""})
    )
    assert answer.status_code == 400
    assert not Campaign.objects.exists()


def test_another_institutions_team_is_no_choice(scene, client, district):
    far = build.team(factories.institution(InstitutionKind.STATION, "S2", "西站", district), "西队")
    client.force_login(scene["clerk"])
    page = client.get(reverse("admin:messaging_campaign_add")).content.decode()
    assert "一队" in page
    assert "西队" not in page
    given = posted(scene, **{"agreements-ending-team": str(far.uuid)})
    assert client.post(reverse("admin:messaging_campaign_add"), given).status_code == 400
