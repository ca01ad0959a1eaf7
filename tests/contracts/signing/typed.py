"""What a clerk types on the signing pages."""

import base64
import uuid

from django.urls import reverse
from django.utils import timezone

from tests.contracts import desk_build as build
from tests.contracts.test_making import drawing

INK = "data:image/png;base64," + base64.b64encode(drawing()).decode()


def typed(team, /, **more):
    return {
        "key": uuid.uuid4(), "team": team.uuid, "doctor": build.leader(team).uuid, "start": timezone.localdate().isoformat(),
        "years": 1, "versions": [team.version.uuid], "way": "in_person", "phone": "13800000000", "address": "胡家园1号",
        "read": "on", "drawing": INK, "state": "signed", **more,
    }  # fmt: skip


def page_of(person, name="sign-resident"):
    return reverse(name, args=[person.uuid])
