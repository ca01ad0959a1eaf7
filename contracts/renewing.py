"""What may be renewed, when, by whom and with which packages: asked for one agreement and for thousands at once."""

from collections import defaultdict
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.models import Resident
from contracts import eligibility
from contracts.codes import FAMILY_DOCTORS, AgreementState, TeamRole, Way
from contracts.models import Agreement, AgreementPackage, PackageVersion, TeamMember

S = AgreementState
RENEWABLE = (S.SIGNED, S.DEEMED, S.EXPIRED)


def followed(ids) -> set[int]:
    """Those that have been renewed or replaced already. One query."""
    rows = Agreement.objects.filter(follows__in=ids).following()
    return set(rows.values_list("follows", flat=True))


def with_person(rows):
    """``person`` is the row number of the file that stands for the resident today."""
    return rows.annotate(person=Coalesce("resident__merged_into", "resident"))


def of_people(rows, survivors):
    """Of these people, under whichever file. The files come first, each by its index: over both tables at once half a
    million agreements would be read for a handful."""
    files = Resident.objects.filter(Q(pk__in=survivors) | Q(merged_into__in=survivors)).values("pk")
    return with_person(rows).filter(resident__in=files)


def why_not(agreement, today, followed) -> str | None:
    """The sentence why it cannot be renewed today; None where it can."""
    if agreement.state not in RENEWABLE:
        return _("This agreement is “%(state)s” by now; that is not possible.") % {
            "state": agreement.get_state_display()
        }
    if agreement.pk in followed:
        return _("This agreement has been renewed or replaced already.")
    first = agreement.end - timedelta(days=max(settings.CONTRACTS_LIGHTS))
    if today < first:
        return _("It can be renewed from %(day)s on.") % {"day": first}
    return None


def crews(teams, today) -> dict[int, list[TeamMember]]:
    """{team: who belongs to it today or later, with the person}. One query."""
    found = defaultdict(list)
    rows = TeamMember.objects.filter(Q(until=None) | Q(until__gte=today), team__in=teams).order_by("pk")
    for member in rows.select_related("person"):
        found[member.team_id].append(member)
    return found


def there(crew, day) -> list[TeamMember]:
    """Those of a crew who belong to the team on that day."""
    return [one for one in crew if one.since <= day and (one.until is None or one.until >= day)]


def doctors_among(members) -> list[int]:
    """The family doctors who work here, the leader first: row numbers."""
    doctors = [one for one in members if one.role in FAMILY_DOCTORS and one.person.is_active]
    return [one.person_id for one in sorted(doctors, key=lambda one: one.role != TeamRole.LEADER)]


def doctor_of(agreement, day):
    """Who looks after the resident from that day on: the same family doctor while in the team, else its leader. Refused
    code "doctor"."""
    doctors = doctors_among(there(crews([agreement.team_id], day)[agreement.team_id], day))
    if agreement.doctor_id in doctors:
        return agreement.doctor
    if not doctors:
        raise Refused(_("The team has no leader."), code="doctor", field="doctor")
    return get_user_model().objects.get(pk=doctors[0])


def versions_of(agreements, starts) -> dict[int, list[PackageVersion]]:
    """{agreement: versions of its packages that are valid on its first day, ``starts[agreement]``}. Two queries. What
    is no longer offered is left out."""
    ids = [agreement.pk for agreement in agreements]
    chosen = defaultdict(list)
    rows = AgreementPackage.objects.filter(agreement__in=ids).order_by("pk")
    for agreement, package in rows.values_list("agreement", "version__package"):
        chosen[agreement].append(package)
    packages = {package for each in chosen.values() for package in each}
    versions = PackageVersion.objects.filter(
        package__in=packages, published_at__isnull=False, package__active=True
    )
    by_package = defaultdict(list)
    for version in versions.select_related("package__institution"):
        by_package[version.package_id].append(version)
    return {
        agreement.pk: [
            version
            for package in chosen[agreement.pk]
            for version in by_package[package]
            if _valid(version, agreement.institution, starts[agreement.pk])
        ]
        for agreement in agreements
    }


def _valid(version, institution, day):
    within = version.valid_from <= day and (version.valid_to is None or version.valid_to >= day)
    return within and version.package.institution.path in institution.paths_up


def fitting(versions, resident, groups, day):
    """Those the resident is (still) eligible for."""
    return [one for one in versions if eligibility.why_not(one, resident, groups, day) is None]


def representative_of(agreement) -> dict:
    return {
        "name": agreement.representative,
        "relation": agreement.representative_relation,
        "phone": agreement.representative_phone,
    }


def way_of(agreement):
    """A handbook counts once; afterwards somebody signs."""
    return Way.IN_PERSON if agreement.way == Way.HANDBOOK else agreement.way
