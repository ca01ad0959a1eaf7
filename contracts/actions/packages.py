"""Packages, their versions and services, and the agreement's wording. Published, they never change."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from contracts.codes import Group
from contracts.models import AgreementText, Package, PackageItem, PackageVersion, Population

ELIGIBLE = ("age_from", "age_to", "sex", "groups")
VERSION = ("valid_from", "valid_to", "price", "waiver", "waiver_note", "description", *ELIGIBLE)
ITEM = ("name", "service", "times", "period", "evidence", "order", *ELIGIBLE)
LONGEST_TEXT = 20_000


def keep_package(*, institution, code, name, kind, active, by, package=None, request=None):
    """Write a package; a new one gets its first version to fill in. Conflict code: taken."""
    _allowed(by, "contracts.change_package", institution)
    with violations.told(Package), transaction.atomic():
        row = (
            Package.objects.select_for_update().get(pk=package.pk)
            if package
            else Package(institution=institution)
        )
        row.code, row.name, row.kind, row.active = code.strip(), name.strip(), kind, active
        row.save()
        if package is None:
            PackageVersion.objects.create(package=row, number=1, valid_from=timezone.localdate())
        audit.record(Act.TEAM, by=by, request=request, obj=row)
        return row


def keep_version(*, version, by, request=None, **fields):
    """Write what an unpublished version holds (VERSION). Conflict code: published."""
    with violations.told(PackageVersion), transaction.atomic():
        row = _open(version, by)
        for name in VERSION:
            if name in fields:
                setattr(row, name, fields[name])
        row.save()
        audit.record(Act.TEAM, by=by, request=request, obj=row.package, detail={"version": row.number})
        return row


def add_item(*, version, by, request=None, **fields):
    """One more service (ITEM) of an unpublished version. Conflict code: published."""
    with violations.told(PackageItem), transaction.atomic():
        row = _open(version, by)
        order = (row.items.aggregate(last=Max("order"))["last"] or 0) + 1
        item = PackageItem.objects.create(
            version=row, **{"order": order, **{k: v for k, v in fields.items() if k in ITEM}}
        )
        audit.record(
            Act.TEAM, by=by, request=request, obj=row.package, detail={"version": row.number, "added": 1}
        )
        return item


def drop_item(*, item, by, request=None):
    """Take a service out of an unpublished version. Conflict code: published."""
    with transaction.atomic():
        row = _open(item.version, by)
        PackageItem.objects.filter(pk=item.pk).delete()
        audit.record(
            Act.TEAM, by=by, request=request, obj=row.package, detail={"version": row.number, "dropped": 1}
        )


def new_version(*, package, by, request=None):
    """A copy of the newest version to change; the one being written already, if there is one."""
    _allowed(by, "contracts.change_package", package.institution)
    with transaction.atomic():
        Package.objects.select_for_update().get(pk=package.pk)
        newest = package.versions.order_by("-number").first()
        if newest is not None and not newest.is_published:
            return newest
        fields = {name: getattr(newest, name) for name in VERSION} if newest else {}
        fields |= {"valid_from": timezone.localdate(), "valid_to": None}
        made = PackageVersion.objects.create(
            package=package, number=newest.number + 1 if newest else 1, **fields
        )
        for item in newest.items.all() if newest else ():
            PackageItem.objects.create(version=made, **{name: getattr(item, name) for name in ITEM})
        audit.record(Act.TEAM, by=by, request=request, obj=package, detail={"version": made.number})
        return made


def publish_version(*, version, by, request=None, now=None):
    """From its first day on it can be signed, and never changes. The published one before it ends the day before.

    Refused codes: items, day; Conflict code: taken. A second time changes nothing.
    """
    now = now or timezone.now()
    with violations.told(PackageVersion), transaction.atomic():
        package = Package.objects.select_for_update().select_related("institution").get(pk=version.package_id)
        _allowed(by, "contracts.publish_package", package.institution)
        row = PackageVersion.objects.select_for_update().get(pk=version.pk)
        if row.is_published:
            return row
        if not row.items.exists():
            raise Refused(_("A package without a service cannot be published."), code="items")
        if row.valid_from < timezone.localdate(now):
            raise Refused(
                _("It cannot begin in the past: agreements were signed then."), code="day", field="valid_from"
            )
        for old in package.versions.filter(published_at__isnull=False, valid_from__lt=row.valid_from):
            if old.valid_to is None or old.valid_to >= row.valid_from:
                old.valid_to = row.valid_from - timedelta(days=1)
                old.save(update_fields=["valid_to"])
        row.published_at, row.published_by = now, by
        row.save(update_fields=["published_at", "published_by"])
        audit.record(Act.TEAM, by=by, request=request, obj=package, detail={"published": row.number})
        return row


def keep_text(*, institution, version, title, body, valid_from, by, text=None, request=None):
    """Write an unpublished wording; return it. Refused code: body; Conflict codes: published, taken."""
    _allowed(by, "contracts.change_agreementtext", institution)
    if not body.strip() or len(body) > LONGEST_TEXT:
        raise Refused(_("Please write the text, at most 20,000 characters."), code="body", field="body")
    with violations.told(AgreementText), transaction.atomic():
        row = (
            AgreementText.objects.select_for_update().get(pk=text.pk)
            if text
            else AgreementText(institution=institution)
        )
        if row.published_at:
            raise Conflict(_("What is published never changes."), code="published")
        row.version, row.title, row.body, row.valid_from = version.strip(), title.strip(), body, valid_from
        row.save()
        audit.record(Act.TEAM, by=by, request=request, obj=row)
        return row


def publish_text(*, text, by, request=None, now=None):
    """From its first day on residents read and sign it. A second time changes nothing."""
    with transaction.atomic():
        row = (
            AgreementText.objects.select_for_update(of=("self",))
            .select_related("institution")
            .get(pk=text.pk)
        )
        _allowed(by, "contracts.publish_agreementtext", row.institution)
        if row.published_at is None:
            row.published_at, row.published_by = now or timezone.now(), by
            row.save(update_fields=["published_at", "published_by"])
            audit.record(Act.TEAM, by=by, request=request, obj=row, detail={"published": True})
        return row


def keep_people(*, institution, year, numbers, by, document="", request=None):
    """How many people live there in a year: ``numbers`` {group: people, or None where nobody knows}. What was known
    once is corrected and not taken away. Refused code: people."""
    _allowed(by, "contracts.change_population", institution)
    for group, people in numbers.items():
        if people is not None and not 0 <= people <= 100_000_000:
            raise Refused(_("Please give a number from 0 up."), code="people", field=group)
        if None not in (people, numbers.get(Group.ALL)) and people > numbers[Group.ALL]:
            raise Refused(
                _("“%(group)s” cannot be more than all residents.") % {"group": Group(group).label},
                code="people",
                field=group,
            )
    with transaction.atomic():
        for group, people in sorted(numbers.items()):
            if people is None:
                if Population.objects.filter(institution=institution, year=year, group=group).exists():
                    raise Refused(
                        _("“%(group)s” was entered already: please correct the number, it cannot be emptied.")
                        % {"group": Group(group).label},
                        code="people",
                        field=group,
                    )
                continue
            row, _new = Population.objects.get_or_create(
                institution=institution,
                year=year,
                group=group,
                defaults={"people": people, "document": document},
            )
            if (row.people, row.document) != (people, document or row.document):
                row.people, row.document = people, document or row.document
                row.save(update_fields=["people", "document"])
        audit.record(Act.TEAM, by=by, request=request, obj=institution, detail={"people of": year})


def _open(version, by):
    """The version, locked with its package, not published yet."""
    package = Package.objects.select_for_update().select_related("institution").get(pk=version.package_id)
    _allowed(by, "contracts.change_package", package.institution)
    row = PackageVersion.objects.select_for_update(of=("self",)).select_related("package").get(pk=version.pk)
    if row.is_published:
        raise Conflict(_("What is published never changes."), code="published")
    return row


def _allowed(by, right, institution):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
