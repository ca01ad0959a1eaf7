"""Agreements as a sheet: what the desk exports, line by line. Names and numbers are in clear, as on the list's pages
after a click; who took them out stands in the trail."""

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contracts.models import Agreement, AgreementPackage

HEADINGS = [
    _("number"), _("state"), _("full name"), _("ID number"), _("phone"), _("team"), _("family doctor"), _("institution"),
    _("service packages"), _("first day"), _("last day"), _("ended on"), _("years"), _("fee, CNY"), _("waived, CNY"),
    _("way of signing"), _("source"), _("signed at"), _("representative"), _("last served on"), _("reason"),
    _("old number"), _("remark"),
]  # fmt: skip
STEP = 2_000


def whole(rows):
    """With everything that a line shows."""
    packages = AgreementPackage.objects.select_related("version__package")
    return rows.select_related("resident", "team", "doctor", "institution").prefetch_related(
        Prefetch("packages", packages)
    )


def lines(rows):
    """One line an agreement, read a chunk at a time."""
    for row in whole(rows).order_by("pk").iterator(chunk_size=STEP):
        yield line(row)


def line(row: Agreement) -> list:
    resident = row.resident
    signed = timezone.localtime(row.signed_at).strftime("%Y-%m-%d %H:%M") if row.signed_at else ""
    return [
        row.number, row.get_state_display(), resident.name, resident.id_number, row.phone or resident.phone, row.team.name,
        row.doctor.name, row.institution.short_name, "、".join(_package(one) for one in row.packages.all()),
        row.start, row.end, row.ended_on, row.years, row.fee, row.waived, row.get_way_display(), row.get_source_display(),
        signed, row.representative, row.last_served_on, row.get_end_reason_display(), row.foreign_number, row.note,
    ]  # fmt: skip


def _package(one):
    return f"{one.version.package.name} v{one.version.number}"
