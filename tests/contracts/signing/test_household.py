"""A household signed on the page in one go: all of the chosen, or nobody."""

import uuid

from django.urls import reverse

from clinic.codes import Act
from clinic.models import AuditEntry
from contracts.models import Agreement, Signature
from tests.contracts import desk_build as build
from tests.contracts.signing.typed import INK, page_of, typed


def household(team, people, **more):
    given = typed(team, sitting=uuid.uuid4(), signer=people[0].uuid, signer_phone="13800000000")
    relations = ("", "parent", "child")
    for one, relation in zip(people, relations, strict=False):
        name = one.uuid.hex
        given |= {f"who-{name}": "on", f"versions-{name}": [team.version.uuid], f"relation-{name}": relation}
    return {**given, **more}


def test_a_household_is_signed_in_one_go_and_leads_to_paper(client, clerk, team, family):
    address = page_of(family[0], "sign-household")
    members = {one.person.name: one for one in client.get(address).context["members"]}
    assert [members[one.name].relation for one in family] == ["", "parent", "child"]
    assert [len(members[one.name].fit) for one in family] == [1, 1, 2]
    post = household(team, family)
    first, second = client.post(address, post), client.post(address, post)
    made = {row.resident.name: row for row in Agreement.objects.all()}
    assert first.url == second.url == reverse("agreement-print-sitting", args=[post["sitting"]])
    assert [(made[one.name].way, made[one.name].representative_relation) for one in family] == [
        ("in_person", ""), ("family", "parent"), ("family", "child"),
    ]  # fmt: skip
    assert {row.signer for row in Signature.objects.all()} == {"李梅"}
    html = client.get(first.url).content.decode()
    assert html.count('<article class="paper">') == 3
    assert AuditEntry.objects.filter(act=Act.PRINT).count() == 3


def test_a_household_is_nobody_where_one_hinders(client, clerk, team, family):
    post = household(team, family, **{f"relation-{family[1].uuid.hex}": ""})
    answer = client.post(page_of(family[0], "sign-household"), post)
    assert answer.status_code == 400
    assert "王小宝" in answer.context["form"].non_field_errors()[0]
    assert [one.person.name for one in answer.context["members"] if one.error] == ["王小宝"]
    assert INK in answer.content.decode()
    assert not Agreement.objects.exists()


def test_who_has_an_agreement_is_shown_and_left_out(client, clerk, team, family):
    build.agreement(family[2], team)
    answer = client.post(page_of(family[0], "sign-household"), household(team, family))
    assert answer.status_code == 302
    assert Agreement.objects.filter(sitting__isnull=False).count() == 2
    assert client.get(page_of(family[0], "sign-household")).context["nobody"]


def test_a_child_is_signed_by_its_parent(client, clerk, team, family):
    form = client.get(page_of(family[1])).context["form"]
    assert [form[name].value() for name in ("way", "representative", "relation")] == [
        "family",
        "李梅",
        "parent",
    ]


def test_somebody_else_signs_for_all_by_name(client, clerk, team, family):
    address, post = page_of(family[0], "sign-household"), household(team, family, signer="")
    assert client.post(address, post).context["form"].errors.keys() == {"name"}
    post |= {"name": "王强", f"relation-{family[0].uuid.hex}": "spouse"}
    assert client.post(address, post).status_code == 302
    assert set(Agreement.objects.values_list("representative", flat=True)) == {"王强"}


def test_another_signer_is_related_otherwise(client, clerk, team, family):
    post = household(team, family, signer=family[2].uuid, look="signer")
    members = client.post(page_of(family[0], "sign-household"), post).context["members"]
    assert {one.person.name: one.relation for one in members} == {
        "李梅": "parent",
        "王小宝": "grandparent",
        "李奶奶": "",
    }
