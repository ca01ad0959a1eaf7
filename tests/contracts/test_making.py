"""Making agreements: whole, or not at all."""

import io
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image, ImageDraw

from clinic.codes import InstitutionKind, Role
from clinic.errors import Conflict, Forbidden, Refused
from contracts import pictures
from contracts.actions import agreements
from contracts.codes import AgreementState, EndReason, SignatureKind, Way, WhyNot
from contracts.models import Agreement, NotSigned, PlanItem, Signature
from tests import factories
from tests.contracts import desk_build as build


def drawing(size=(300, 120)):
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(20, 80), (120, 20), (260, 90)], fill="black", width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def scene(db, district):
    station = factories.institution(InstitutionKind.STATION, "S1", "东站", district)
    team = build.team(station)
    return {
        "station": station, "team": team, "doctor": build.leader(team), "clerk": factories.user(Role.CLERK, station),
        "version": build.version(district), "text": build.text(district), "resident": factories.resident(station),
    }  # fmt: skip


def given(scene, **more):
    return {
        "key": uuid.uuid4(), "resident": scene["resident"], "team": scene["team"], "doctor": scene["doctor"],
        "by": scene["clerk"], "start": timezone.localdate(), "years": 1, "versions": [scene["version"]],
        "way": Way.IN_PERSON, "text": scene["text"], **more,
    }  # fmt: skip


def signed(scene, **more):
    picture = (pictures.drawn(drawing()), SignatureKind.DRAWN)
    return given(scene, state=AgreementState.SIGNED, read=True, signature=picture, **more)


def test_signed_on_the_screen_it_is_whole(scene):
    made = agreements.make(**signed(scene))
    assert made.number == f"S1-{timezone.localdate().year}-000001"
    assert (made.state, made.fee, made.waived) == ("signed", 120, 100)
    assert made.end == made.start.replace(year=made.start.year + 1) - timedelta(days=1)
    assert [(line.times, line.due_to) for line in made.plan.all()] == [(4, made.end)]
    kept = Signature.objects.get(agreement=made)
    assert (kept.mime, kept.width, kept.signer) == ("image/png", 300, scene["resident"].name)


def test_the_same_key_is_one_agreement(scene):
    terms = signed(scene)
    assert agreements.make(**terms) == agreements.make(**terms)
    with pytest.raises(Conflict, match="另一份|another"):
        agreements.make(**{**terms, "resident": factories.resident(scene["station"])})


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"years": 4}, "term"), ({"versions": []}, "package"), ({"read": False}, "read"), ({"signature": None}, "signature"),
        ({"text": None}, "text"), ({"way": Way.FAMILY}, "representative"), ({"way": Way.HANDBOOK}, "way"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else next(iter(value)),
)  # fmt: skip
def test_what_is_missing_is_a_sentence_and_nothing_is_written(scene, wrong, code):
    with pytest.raises(Refused) as refusal:
        agreements.make(**{**signed(scene), **wrong})
    assert refusal.value.code == code
    assert not Agreement.objects.exists()


def test_a_second_one_names_the_first(scene):
    agreements.make(**signed(scene))
    with pytest.raises(Refused, match="一队") as refusal:
        agreements.make(**signed(scene))
    assert refusal.value.code == "alive"


def test_a_stranger_signs_nobody_into_another_stations_team(scene):
    other = factories.institution(InstitutionKind.STATION, "S2", "西站", scene["station"].parent)
    with pytest.raises(Forbidden):
        agreements.make(**signed(scene, by=factories.user(Role.CLERK, other)))


def test_pending_is_signed_or_refused_and_then_stands(scene):
    pending = agreements.make(**given(scene, state=AgreementState.PENDING))
    picture = (pictures.drawn(drawing()), SignatureKind.DRAWN)
    key = uuid.uuid4()
    for _twice in range(2):
        done = agreements.sign(
            agreement=pending, by=scene["clerk"], signature=picture, signer="张秀英", read=True, key=key
        )
    assert (done.state, done.plan.count(), done.signatures.count()) == ("signed", 1, 1)
    with pytest.raises(Conflict):
        agreements.refuse(agreement=pending, by=scene["clerk"])


def test_a_refusal_keeps_its_reason(scene):
    pending = agreements.make(**given(scene, state=AgreementState.PENDING))
    agreements.refuse(agreement=pending, by=scene["clerk"], note="再想想", why=WhyNot.NO_NEED)
    assert NotSigned.objects.get().why == "no_need"
    assert agreements.make(**signed(scene)).state == "signed"


def test_ended_early_nothing_is_due_any_more(scene):
    made = agreements.make(**signed(scene))
    done = agreements.end(agreement=made, reason=EndReason.OWN_WISH, by=scene["clerk"])
    assert (done.state, done.ended_on) == ("terminated", timezone.localdate())
    assert not PlanItem.objects.open().exists()


def test_a_draft_changes_and_is_put(scene):
    draft = agreements.make(**given(scene))
    agreements.change(agreement=draft, by=scene["clerk"], years=2)
    put = agreements.put(agreement=draft, by=scene["clerk"])
    assert (put.state, put.years, put.fee) == ("pending", 2, 240)


def test_a_household_is_all_or_nothing(scene):
    children = [factories.resident(scene["station"], name=name) for name in ("张一", "张二")]
    agreements.make(**signed(scene, resident=children[1]))
    terms = signed(scene)
    people = [{"key": uuid.uuid4(), "resident": one} for one in (scene["resident"], *children)]
    shared = {name: terms[name] for name in terms if name not in ("key", "resident")}
    with pytest.raises(Refused, match="张二"):
        agreements.sign_household(sitting=uuid.uuid4(), people=people, **shared)
    assert Agreement.objects.count() == 1
    made = agreements.sign_household(sitting=uuid.uuid4(), people=people[:2], **shared)
    assert {one.state for one in made} == {"signed"}
    assert made[0].sitting == made[1].sitting
