"""What stands at the head of a resident's page and of the chart, in at most four queries and one for each app's badges."""

from dataclasses import dataclass

from django.utils import timezone

from clinic import registry
from clinic.models import Allergy, KeyTag, Problem
from clinic.old_or_young import old_or_young


@dataclass(frozen=True)
class Banner:
    allergies: list
    problems: list
    key_tags: list
    age_groups: list
    no_known_allergies_on: object
    old_or_young: str
    badges: list

    def as_context(self):
        """The names that components/resident_banner.html reads, besides ``resident``."""
        return {
            "allergies": self.allergies,
            "problems": self.problems,
            "key_tags": self.key_tags,
            "age_groups": self.age_groups,
            "no_known_allergies_on": self.no_known_allergies_on,
            "old_or_young": self.old_or_young,
            "badges": self.badges,
        }


def facts(resident, user, record_ids=None) -> Banner:
    """Facts of the whole file, rows absorbed by a merge included. Who may not read allergies and problems
    gets empty lists; ``resident`` has been fetched through visible_to."""
    ids = resident.file_ids if record_ids is None else record_ids
    clinical = user.has_perms(["clinic.view_allergy", "clinic.view_problem"])
    allergies = (
        _once(Allergy.objects.filter(resident__in=ids, refuted_on=None), "substance") if clinical else []
    )
    problems = _once(Problem.objects.filter(resident__in=ids, resolved_on=None), "name") if clinical else []
    tags = KeyTag.objects.filter(resident__in=ids, until=None) if user.has_perm("clinic.view_keytag") else []
    today = timezone.localdate()
    return Banner(
        allergies=allergies,
        problems=problems,
        key_tags=_once(tags, "tag"),
        age_groups=resident.age_groups_on(today),
        no_known_allergies_on=resident.no_known_allergies_on if clinical and not allergies else None,
        old_or_young=old_or_young(resident, today),
        badges=[badge for make in registry.banner_badges for badge in make(resident, user, ids)],
    )


def _once(rows, field):
    """Two rows of one person may say the same: said once, by the first."""
    return list({getattr(row, field): row for row in reversed(list(rows))}.values())[::-1]
