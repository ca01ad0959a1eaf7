"""Whom a package or one of its services is for: ages, sex, key populations (rules B4.5), on the first day."""

from collections import defaultdict

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from clinic.codes import Sex
from clinic.models import KeyTag
from contracts.codes import Group
from contracts.models import PackageVersion


def groups_of(residents, day) -> dict[int, set[str]]:
    """{resident: codes of Group} on that day: computed age groups and tags, of merged rows too. One query for any
    number."""
    residents = list(residents)
    tags = tags_of([resident.pk for resident in residents])
    return {resident.pk: groups_on(resident, tags.get(resident.pk, ()), day) for resident in residents}


def tags_of(ids) -> dict[int, list[tuple]]:
    """{resident: [(code, since, until)]}. One query."""
    found = defaultdict(list)
    rows = KeyTag.objects.annotate(person=Coalesce("resident__merged_into", "resident"))
    rows = rows.filter(Q(resident__in=ids) | Q(resident__merged_into__in=ids))
    for person, tag, since, until in rows.values_list("person", "tag", "since", "until"):
        found[person].append((tag, since, until))
    return found


def groups_on(resident, tags, day) -> set[str]:
    """``tags`` as ``tags_of`` gives them."""
    groups = {tag for tag, since, until in tags if since <= day and (until is None or until > day)}
    return groups.intersection(Group.values) | _age_groups(resident, day)


def _age_groups(resident, day):
    age = resident.age_on(day)
    groups = set()
    if age <= settings.CHILD_AGE:
        groups.add(Group.CHILD.value)
    if age >= settings.SENIOR_AGE:
        groups.add(Group.SENIOR.value)
    return groups


def why_not(offer, resident, groups, day) -> str | None:
    """The sentence why a version or an item (``Eligible``) is not for the resident; None where it is."""
    age = resident.age_on(day)
    if offer.age_from is not None and age < offer.age_from:
        return _("from %(age)d years on") % {"age": offer.age_from}
    if offer.age_to is not None and age > offer.age_to:
        return _("up to %(age)d years") % {"age": offer.age_to}
    if offer.sex and resident.sex != offer.sex:
        return _("for men") if offer.sex == Sex.MALE else _("for women")
    if offer.groups and not groups.intersection(offer.groups):
        names = _(", ").join(str(Group(code).label) for code in offer.groups if code in Group.values)
        return _("for: %(groups)s") % {"groups": names}
    return None


def offered(institution, resident, day) -> list[tuple[PackageVersion, str | None]]:
    """What may be signed there on that day, each with why it is not for this resident. Basic ones first."""
    versions = PackageVersion.objects.offered(institution, day).select_related("package")
    groups = groups_of([resident], day)[resident.pk]
    return [
        (version, why_not(version, resident, groups, day))
        for version in versions.order_by("package__kind", "package__code")
    ]
