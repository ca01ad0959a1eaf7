"""What must be true before an agreement is written: parties, term, packages, formalities (rules B4.1–B4.7)."""

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.codes import LifeState
from clinic.errors import Refused
from contracts import eligibility, renewing, teams, terms
from contracts.codes import ALIVE, IN_FORCE, AgreementState, Relation, Source, Way
from contracts.models import Agreement, AgreementPackage, PackageVersion, TeamMember

# Nobody dates an agreement further ahead than the earliest renewal, nor back, save what an import brings.
AHEAD = timedelta(days=max(settings.CONTRACTS_LIGHTS) + 1)
# What was signed elsewhere is written down by the import, the old paper lying before the clerk.
WITHOUT_SIGNATURE = (Source.IMPORT, Source.RENEWAL)


def check_living(resident):
    """Refused code: resident."""
    if resident.life_state != LifeState.LIVING:
        raise Refused(_("This resident has died or moved away."), code="resident")


def check_parties(resident, team, doctor, day):
    """Refused codes: resident, team, doctor."""
    check_living(resident)
    if not team.active:
        raise Refused(_("This team is not in use."), code="team", field="team")
    if lacking := teams.lacks(team, day):
        raise Refused(lacking[0], code="team", field="team")
    members = TeamMember.objects.on(day).family_doctors()
    if not doctor.is_active or not members.filter(team=team, person=doctor).exists():
        raise Refused(_("This person is no family doctor of the team."), code="doctor", field="doctor")


def check_term(agreement, today):
    """Refused code: term."""
    if agreement.years not in (1, 2, 3):
        raise Refused(_("An agreement is for one to three years."), code="term", field="years")
    agreement.end = terms.last_day(agreement.start, agreement.years)
    if agreement.source == Source.IMPORT:
        return
    if not today <= agreement.start <= today + AHEAD:
        raise Refused(
            _("The first day is today or at most %(days)d days ahead.") % {"days": AHEAD.days},
            code="term",
            field="start",
        )


def check_free(agreement):
    """Nobody else's live agreement overlaps. Refused code: alive. The caller holds the resident's lock."""
    if agreement.state not in ALIVE:
        return
    other = (
        Agreement.objects.alive()
        .filter(
            resident__in=agreement.resident.record_ids(), start__lte=agreement.end, end__gte=agreement.start
        )
        .exclude(pk=agreement.pk)
        .select_related("team", "institution")
        .first()
    )
    if other is not None:
        raise Refused(
            _("This resident has an agreement with %(institution)s, %(team)s until %(day)s already.")
            % {"institution": other.institution, "team": other.team, "day": other.end},
            code="alive",
        )


def predecessor(agreement):
    """The one of the same person and team that ends the day before, and that nothing follows: whoever signs anew for
    then has renewed it, and is reminded no more. The caller holds the resident's lock."""
    if agreement.follows is not None or agreement.state not in ALIVE:
        return agreement.follows
    rows = Agreement.objects.filter(
        resident__in=agreement.resident.record_ids(), team=agreement.team, state__in=IN_FORCE,
        end=agreement.start - timedelta(days=1),
    )  # fmt: skip
    found = rows.first()
    return None if found is None or renewing.followed([found.pk]) else found


def packages_of(agreement, versions) -> list[AgreementPackage]:
    """Unsaved; sets fee and what is waived. Refused code: package."""
    versions = list(versions)
    if not versions and agreement.state != AgreementState.DRAFT and agreement.way != Way.HANDBOOK:
        raise Refused(_("Please choose a package."), code="package", field="versions")
    if len({version.package_id for version in versions}) < len(versions):
        raise Refused(_("This package is chosen twice."), code="package", field="versions")
    offered = set(
        PackageVersion.objects.offered(agreement.institution, agreement.start)
        .filter(pk__in=[version.pk for version in versions])
        .values_list("pk", flat=True)
    )
    groups = eligibility.groups_of([agreement.resident], agreement.start)[agreement.resident_id]
    agreement.groups = sorted(groups)
    for version in versions:
        if agreement.source != Source.IMPORT and version.pk not in offered:
            raise Refused(
                _("The package %(name)s is not offered here on that day.") % {"name": version.package.name},
                code="package", field="versions",
            )  # fmt: skip
        if why := eligibility.why_not(version, agreement.resident, groups, agreement.start):
            raise Refused(
                _("The package %(name)s is not for this resident: %(why)s.") % {"name": version.package.name, "why": why},
                code="package", field="versions",
            )  # fmt: skip
    agreement.fee = agreement.years * sum(version.price for version in versions)
    agreement.waived = agreement.years * sum(version.waiver for version in versions)
    return [AgreementPackage(version=one, price=one.price, waiver=one.waiver) for one in versions]


def check_formalities(agreement, read, signature):
    """Refused codes: way, representative, text, read, signature."""
    check_representative(agreement)
    if agreement.state == AgreementState.DEEMED and agreement.way != Way.HANDBOOK:
        raise Refused(_("Only the mother-and-child handbook counts as signed."), code="way", field="way")
    if agreement.state != AgreementState.DEEMED and agreement.way == Way.HANDBOOK:
        raise Refused(_("By the handbook one is deemed signed."), code="way", field="way")
    if agreement.source == Source.IMPORT or agreement.way == Way.HANDBOOK or agreement.state not in ALIVE:
        return
    text = agreement.text
    if text is None or text.published_at is None:
        raise Refused(_("Please choose a published agreement text."), code="text", field="text")
    if agreement.state in IN_FORCE:
        if not read:
            raise Refused(
                _("Has the agreement been read and understood? Please tick it."), code="read", field="read"
            )
        if signature is None and agreement.source not in WITHOUT_SIGNATURE:
            raise Refused(_("The signature is missing."), code="signature", field="signature")


def check_representative(agreement):
    """Refused code: representative."""
    if agreement.representative_relation and agreement.representative_relation not in Relation.values:
        raise Refused(
            _("Please choose the relation."), code="representative", field="representative_relation"
        )
    if agreement.way == Way.FAMILY and not (agreement.representative and agreement.representative_relation):
        raise Refused(
            _("Who signs for the resident, and how are they related?"),
            code="representative",
            field="representative",
        )
