"""Teams, packages and agreements for the tests of the desk, by plain rows."""

import io
import itertools
import uuid
from datetime import date, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from openpyxl import Workbook

from clinic.codes import Role
from contracts.codes import PackageKind, Period, ServiceKind, TeamRole
from contracts.models import Agreement, AgreementText, Package, PackageItem, PackageVersion, Team, TeamMember
from tests import factories

_serial = itertools.count(1)


def team(where, name="一队"):
    made = Team.objects.create(institution=where, name=name)
    for role, part in ((Role.DOCTOR, TeamRole.LEADER), (Role.NURSE, TeamRole.NURSE)):
        person = factories.user(role, where, name=f"{name}{part.label}"[:10])
        TeamMember.objects.create(team=made, person=person, role=part, since=date(2020, 1, 1))
    return made


def leader(of):
    return of.members.get(role=TeamRole.LEADER).person


def version(where, code="BASE", evidence=(), **given):
    package = Package.objects.create(institution=where, code=code, name=f"包{code}", kind=PackageKind.BASIC)
    made = PackageVersion.objects.create(
        package=package, number=1, valid_from=date(2020, 1, 1), price=120, waiver=100, **given
    )
    PackageItem.objects.create(
        version=made,
        name="随访",
        service=ServiceKind.PUBLIC_HEALTH,
        times=4,
        period=Period.YEAR,
        evidence=list(evidence),
    )
    made.published_at = timezone.now()
    made.save()
    return made


def text(where):
    made = AgreementText.objects.create(
        institution=where,
        version=f"v{next(_serial)}",
        title="签约协议",
        body="甲方……",
        valid_from=date(2020, 1, 1),
    )
    made.published_at = timezone.now()
    made.save()
    return made


def agreement(whom, of, state="signed", start=None, years=1, **given):
    """As an import leaves it."""
    start = start or timezone.localdate()
    end = given.pop("end", start.replace(year=start.year + years) - timedelta(days=1))
    return Agreement.objects.create(
        uuid=uuid.uuid4(), number=f"T-{next(_serial):06d}", resident=whom, institution=of.institution, team=of,
        doctor=leader(of), state=state, start=start, end=end, years=years, source=given.pop("source", "import"),
        signed_at=None if state in ("draft", "pending") else timezone.now(), **given,
    )  # fmt: skip


HEADINGS = ["原编号", "姓名", "身份证号", "团队", "服务包", "首日", "年数"]


def upload(rows, headings=None, name="x.xlsx"):
    book = Workbook()
    book.active.append(headings or HEADINGS)
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile(name, out.getvalue())
