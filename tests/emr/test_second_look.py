"""Before the password is asked: what is missing, and what is worth a second look."""

import pytest
from django.urls import reverse

from clinic.models import Allergy
from emr.models import Note

pytestmark = pytest.mark.django_db


@pytest.fixture
def look(client, encounter, doctor):
    client.force_login(doctor)

    def ask(**fields):
        Note.objects.filter(encounter=encounter).update(**fields)
        answer = client.post(
            reverse("check-note", args=[encounter.uuid]), "{}", content_type="application/json"
        )
        return answer.json()

    return ask


def test_an_empty_note_says_what_is_missing(look):
    assert {"chief_complaint", "diagnoses", "treatment"} <= {entry["field"] for entry in look()["missing"]}


def test_a_fever_of_43_degrees_is_worth_a_look(look):
    assert "vitals" in {entry["field"] for entry in look(vitals={"temperature": "43"})["hints"]}


def test_a_drug_against_an_allergy_is_named(look, resident):
    Allergy.objects.create(resident=resident, substance="青霉素")
    line = {
        "drug": "阿莫西林胶囊",
        "dose": "0.5g",
        "route": "po",
        "frequency": "tid",
        "days": "3",
        "reason": "",
    }
    assert any("阿莫西林" in hint["sentence"] for hint in look(medications=[line])["hints"])


def test_strangers_learn_nothing(client, encounter, stranger):
    client.force_login(stranger)
    answer = client.post(reverse("check-note", args=[encounter.uuid]), "{}", content_type="application/json")
    assert answer.status_code == 404
