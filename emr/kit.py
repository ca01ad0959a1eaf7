"""Whom a station may expect, for its file of a day without network: who waits today, and who came within three months and has an
allergy, a chronic disease or long-term medicines."""

from datetime import timedelta

from clinic.models import Allergy, Problem, Resident
from emr.codes import StandingKind
from emr.models import Encounter, StandingHistory

BACK, MOST = timedelta(days=90), 3000


def rows(institution, day) -> list[dict]:
    """Plain texts (clinic.registry.kit_lists). By a job for the institution itself: no user stands behind it. Six queries."""
    recent = Encounter.objects.filter(institution=institution, arrived_at__date__gt=day - BACK)
    today = dict(recent.open().filter(arrived_at__date=day).values_list("resident_id", "arrived_at"))
    seen = set(recent.values_list("resident_id", flat=True)) | set(today)
    people = Resident.objects.filter(pk__in=seen, merged_into=None).order_by("pinyin", "pk")
    found = {one.pk: {"allergies": [], "problems": [], "medicines": []} for one in people}
    for one in Allergy.objects.filter(resident__in=found, refuted_on=None):
        found[one.resident_id]["allergies"].append(f"{one.substance} {one.reaction}".strip())
    for one in Problem.objects.filter(resident__in=found, chronic=True, resolved_on=None):
        found[one.resident_id]["problems"].append(one.name)
    for one in StandingHistory.objects.filter(resident__in=found, kind=StandingKind.MEDICATION).exclude(
        text=""
    ):
        found[one.resident_id]["medicines"].append(one.text)
    kept = [one for one in people if one.pk in today or any(found[one.pk].values())]
    return [
        {
            "name": one.name, "initials": one.initials, "facts": f"{one.get_sex_display()} {one.age_text}",
            "today": "候诊" if one.pk in today else "", **{name: "；".join(texts) for name, texts in found[one.pk].items()},
        }
        for one in kept[:MOST]
    ]  # fmt: skip
