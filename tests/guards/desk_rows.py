"""A row of every kind that the desk shows on a page of its own: one in the reader's reach, one outside it, and who
reads it. A newly registered model wants its line here."""

import uuid
from datetime import date, timedelta

from django.utils import timezone

from clinic.codes import InstitutionKind, Role
from clinic.models import Community
from contracts.models import Batch, NotSigned, Population, Reminder, SigningPractice, SwitchRequest
from emr.codes import ChangeKind, Relation, System
from emr.models import ChangeRequest, CopyIssue, Correction, NoteTemplate, Practice, SealedCopy, TermRelease
from maintenance.models import (
    Contact,
    Course,
    EmergencyPlan,
    Equipment,
    ServiceLevel,
    Session,
    VendorContract,
    WorkCalendar,
    WorkDay,
)
from messaging.models import (
    AllowedAddress,
    CallTask,
    IncomingMessage,
    NumberOverride,
    OptOut,
    Quota,
    QuotaLoan,
    SavedFilter,
    SendingPractice,
    SmsTemplate,
)
from tests import factories
from tests.contracts import desk_build
from tests.messaging import rows as messaging_rows


def _resident(where):
    return factories.resident(where)


def _user(where):
    return factories.user(Role.NURSE, where)


def _visit(where):
    return factories.encounter(factories.resident(where), factories.user(Role.DOCTOR, where))


def _note(where):
    return _sign(_visit(where).note)


def _sign(note):
    note.signed_at, note.signed_by, note.signer = timezone.now(), note.author, note.author.name
    note.save()
    return note


def _request(where):
    note = _note(where)
    return ChangeRequest.objects.create(
        note=note, kind=ChangeKind.CORRECT, reason="写错了", requested_by=note.author, key=uuid.uuid4()
    )


def _correction(where):
    note = _note(where)
    made = Correction.objects.create(
        note=note, number=1, kind=ChangeKind.CORRECT, reason="写错了", author=note.author, key=uuid.uuid4()
    )
    return _sign(made)


def _paper(where):
    """What both registers ask of a paper."""
    return {
        "number": f"T-{where.pk}", "key": uuid.uuid4(), "resident": factories.resident(where), "institution": where,
        "relation": Relation.SELF, "id_number": "x", "sha256": "0" * 64,
    }  # fmt: skip


def _copy(where):
    return CopyIssue.objects.create(
        **_paper(where), applicant="张秀英", purpose="报销", scope="一次就诊", pages=1,
        issued_by=factories.user(Role.MANAGER, where),
    )  # fmt: skip


def _sealed_copy(where):
    return SealedCopy.objects.create(
        **_paper(where), sealed_by=factories.user(Role.MANAGER, where), hospital_party="吴卫东",
        patient_party="张秀英", reason="争议", content="{}", medium="U盘", location="档案室",
    )  # fmt: skip


def _practice(where):
    return Practice.objects.create(institution=where)


def _station(where):
    return factories.institution(InstitutionKind.STATION, f"X{where.pk}", "新站", where.parent)


def _community(where):
    return Community.objects.create(
        code=f"110101001{where.pk % 1000:03d}", name="社区", street="街道", institution=where
    )


def _template(where):
    return NoteTemplate.objects.create(
        kind="text",
        field="treatment",
        name=f"模板{where.pk}",
        content={"treatment": "多饮水。"},
        institution=where,
    )


def _release(where):
    return TermRelease.objects.create(system=System.ICD10, name=f"r{where.pk}", valid_from=date(2020, 1, 1))


def _message(where):
    return messaging_rows.message(messaging_rows.campaign(where), factories.resident(where), state="failed")


def _sms_template(where):
    return SmsTemplate.objects.create(
        institution=where, name=f"模板{where.pk}", purpose="service", body="请来站。"
    )


def _saved_filter(where):
    return SavedFilter.objects.create(institution=where, name=f"条件{where.pk}")


def _sending(where):
    return SendingPractice.objects.create(institution=where)


def _call(where):
    message = _message(where)
    return CallTask.objects.create(
        campaign=message.campaign, resident=message.resident, message=message, institution=where
    )


def _quota(where, year=2026):
    return Quota.objects.create(institution=where, year=year)


def _loan(where):
    return QuotaLoan.objects.create(
        lender=_quota(where, 2030), borrower=_quota(where, 2031), segments=5, reason="接种通知",
        asked_by=factories.user(Role.MANAGER, where),
    )  # fmt: skip


def _gateway(where):
    return messaging_rows.gateway()


def _allowed(where):
    return AllowedAddress.objects.create(network=f"10.{where.pk % 256}.0.0/16")


def _ported(where):
    return NumberOverride.objects.create(phone=f"139{where.pk:08d}", carrier="unicom", source="person")


def _opt_out(where):
    return OptOut.objects.create(phone=factories.resident(where).phone, source="desk", document="不要发了")


def _incoming(where):
    return IncomingMessage.objects.create(
        uuid=uuid.uuid4(), gateway=messaging_rows.gateway(), remote_id=f"{where.pk}", text="TD", to="1069", year=2026,
        phone=factories.resident(where).phone, meaning="opt_out",
    )  # fmt: skip


def _agreement(where):
    return desk_build.agreement(factories.resident(where), desk_build.team(where, f"队{where.pk}"))


def _batch(where):
    return Batch.objects.create(
        kind="renew", institution=where, made_by=factories.user(Role.CLERK, where), lines_total=1
    )


def _reminder(where):
    row = _agreement(where)
    return Reminder.objects.create(agreement=row, institution=where, light=30, by="call", state="open")


def _not_signed(where):
    return NotSigned.objects.create(
        resident=factories.resident(where),
        institution=where,
        why="price",
        by=factories.user(Role.CLERK, where),
    )


def _switch(where):
    row = _agreement(where)
    team = desk_build.team(where, f"新队{where.pk}")
    return SwitchRequest.objects.create(
        agreement=row, to_team=team, to_doctor=desk_build.leader(team), reason="搬家", asked_by=row.doctor
    )


def _practice_of_signing(where):
    return SigningPractice.objects.create(institution=where, cap_team=100)


def _contact(where):
    return Contact.objects.create(institution=where, side="centre_it", name="网管")


def _course(where):
    return Course.objects.create(code=f"c{where.pk}", name="课程", way="lesson")


def _session(where):
    now = timezone.now()
    return Session.objects.create(
        course=_course(where),
        institution=where,
        starts_at=now,
        ends_at=now + timedelta(hours=1),
        trainer="吴",
    )


def _emergency_plan(where):
    return EmergencyPlan.objects.create(institution=where, name="断网预案", when="断网")


def _equipment(where):
    return Equipment.objects.create(institution=where, kind="printer", name="打印机")


def _level(where):
    return ServiceLevel.objects.create(name=f"等级{where.pk}")


def _vendor_contract(where):
    return VendorContract.objects.create(
        number="YW",
        vendor="明桥",
        starts=date(2026, 1, 1),
        ends=date(2026, 12, 31),
        amount=1,
        level=_level(where),
    )


def _work_calendar(where):
    return WorkCalendar.objects.create(name=f"日历{where.pk}")


def _work_day(where):
    return WorkDay.objects.create(day=date(2026, 1, 1))


# label: (how to make a row at an institution, the role that reads it, whether other institutions' rows are hidden)
ROWS = {
    "clinic.community": (_community, Role.DISTRICT, False),
    "clinic.institution": (_station, Role.SYSADMIN, False),
    "clinic.resident": (_resident, Role.CLERK, True),
    "clinic.user": (_user, Role.SYSADMIN, True),
    "contracts.agreement": (_agreement, Role.CLERK, True),
    "contracts.agreementtext": (desk_build.text, Role.MANAGER, True),
    "contracts.batch": (_batch, Role.CLERK, True),
    "contracts.notsigned": (_not_signed, Role.CLERK, True),
    "contracts.package": (
        lambda where: desk_build.version(where, f"P{where.pk}").package,
        Role.MANAGER,
        True,
    ),
    "contracts.population": (
        lambda where: Population.objects.create(institution=where, year=2026, people=9),
        Role.MANAGER,
        True,
    ),
    "contracts.reminder": (_reminder, Role.CLERK, True),
    "contracts.signingpractice": (_practice_of_signing, Role.MANAGER, True),
    "contracts.switchrequest": (_switch, Role.CLERK, True),
    "contracts.team": (desk_build.team, Role.MANAGER, True),
    "emr.changerequest": (_request, Role.MANAGER, True),
    "emr.correction": (_correction, Role.MANAGER, True),
    "emr.note": (_note, Role.MANAGER, True),
    "emr.practice": (_practice, Role.MANAGER, True),
    "emr.copyissue": (_copy, Role.MANAGER, True),
    "emr.sealedcopy": (_sealed_copy, Role.MANAGER, True),
    "emr.encounter": (_visit, Role.CLERK, True),
    "emr.notetemplate": (_template, Role.MANAGER, True),
    "emr.termrelease": (_release, Role.DISTRICT, False),
    "maintenance.contact": (_contact, Role.CENTRE_IT, True),
    "maintenance.course": (_course, Role.DISTRICT, False),
    "maintenance.session": (_session, Role.DISTRICT, False),
    "maintenance.emergencyplan": (_emergency_plan, Role.MANAGER, True),
    "maintenance.equipment": (_equipment, Role.CENTRE_IT, True),
    "maintenance.servicelevel": (_level, Role.DISTRICT_IT, False),
    "maintenance.vendorcontract": (_vendor_contract, Role.DISTRICT, False),
    "maintenance.workcalendar": (_work_calendar, Role.DISTRICT_IT, False),
    "maintenance.workday": (_work_day, Role.DISTRICT_IT, False),
    "messaging.allowedaddress": (_allowed, Role.DISTRICT_IT, False),
    "messaging.campaign": (messaging_rows.campaign, Role.CLERK, True),
    "messaging.savedfilter": (_saved_filter, Role.CLERK, True),
    "messaging.sendingpractice": (_sending, Role.MANAGER, True),
    "messaging.smstemplate": (_sms_template, Role.MANAGER, True),
    "messaging.calltask": (_call, Role.CLERK, True),
    "messaging.gateway": (_gateway, Role.DISTRICT_IT, False),
    "messaging.incomingmessage": (_incoming, Role.CLERK, True),
    "messaging.message": (_message, Role.CLERK, True),
    "messaging.numberoverride": (_ported, Role.DISTRICT_IT, False),
    "messaging.optout": (_opt_out, Role.CLERK, True),
    "messaging.quota": (_quota, Role.MANAGER, True),
    "messaging.quotaloan": (_loan, Role.MANAGER, True),
}
HIDDEN = {label for label, (_make, _role, hidden) in ROWS.items() if hidden}


def make(label, station, other_station):
    """(row in reach, row outside it or None, a person of the station who may read the first)."""
    create, role, hidden = ROWS[label]
    return create(station), create(other_station) if hidden else None, factories.user(role, station)
