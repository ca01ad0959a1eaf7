"""Agreements: made, put before the resident, signed, refused, taken back, ended, given to another doctor.

Locks: resident, team, family doctor, agreement, planned services, number counter (docs/signing.md).
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from contracts import birth, load, numbers, planning
from contracts.actions import reminders
from contracts.codes import ALIVE, IN_FORCE, AgreementState, EndReason, Party, Source
from contracts.models import Agreement, AgreementPackage, Signature, TeamMember

S = AgreementState
NOTE_LIMIT = 200


def make(*, key, resident, team, doctor, by, request=None, now=None, **terms):
    """Make one agreement and return it; the same ``key`` for the same resident and team returns the first one.

    ``terms``: start, years, versions (PackageVersions), way, representative ({"name", "relation", "phone"}), phone,
    address, text, note, source, state (draft, pending, signed or deemed), read, signature (Picture, kind), signer,
    sitting, follows. Refused codes: resident, team, doctor, term, package, way, text, read, signature,
    representative, cap, alive; Conflict codes: key, taken. Nothing is half-written.
    """
    now = now or timezone.now()
    allow(by, "contracts.sign_agreement", team.institution)
    with violations.told(Agreement, Signature), transaction.atomic():
        person = lock_people([resident])[0]
        if known := of_key(key, person, team):
            return known
        if terms.get("state", S.DRAFT) in ALIVE:
            load.hold(team=team, doctor=doctor)
        return born(
            key=key, person=person, team=team, doctor=doctor, by=by, request=request, now=now, **terms
        )


def sign_household(*, sitting, people, team, doctor, by, request=None, now=None, **shared):
    """Several people in one go, all or nothing; ``people``: dicts of key, resident and what differs from ``shared``
    (as ``terms`` of make). A refusal names who hinders (fact "resident", a public id)."""
    now = now or timezone.now()
    allow(by, "contracts.sign_agreement", team.institution)
    if not people:
        raise Refused(_("Nobody is chosen."), code="empty")
    with violations.told(Agreement, Signature), transaction.atomic():
        persons = {person.pk: person for person in lock_people([one["resident"] for one in people])}
        made, left = [], []
        for one in people:
            person = persons[one["resident"].survivor.pk]
            known = of_key(one["key"], person, team)
            made.append(known) if known else left.append((one, person))
        if left and shared.get("state", S.DRAFT) in ALIVE:
            load.hold(team=team, doctor=doctor, more=len(left))
        for one, person in left:
            own = {name: value for name, value in one.items() if name not in ("key", "resident")}
            try:
                made.append(
                    born(
                        key=one["key"],
                        person=person,
                        team=team,
                        doctor=doctor,
                        by=by,
                        request=request,
                        now=now,
                        sitting=sitting,
                        **{**shared, **own},
                    )  # fmt: skip
                )
            except Refused as error:
                raise type(error)(
                    f"{person.name}: {error.message}",
                    code=error.code,
                    **{**error.facts, "resident": str(person.uuid)},
                ) from error
        return made


def born(
    *, key, person, team, doctor, by, start, years, versions, way, now, representative=None, phone="", address="", text=None,
    note="", source=Source.PAGE, state=S.DRAFT, read=False, signature=None, signer="", sitting=None, follows=None,
    foreign_number="", request=None,
):  # fmt: skip
    """Write it, the locks of person, team and doctor being held."""
    who = representative or {}
    agreement = Agreement(
        uuid=key, state=state, institution=team.institution, team=team, doctor=doctor, resident=person,
        phone=phone.strip(), address=address.strip(), representative=who.get("name", "").strip(),
        representative_relation=who.get("relation", ""), representative_phone=who.get("phone", "").strip(),
        start=start, years=years, text=text, way=way, source=source, follows=follows, sitting=sitting,
        foreign_number=foreign_number, note=note.strip(), made_by=by, made_at=now,
        read_at=now if read else None,
    )  # fmt: skip
    birth.check_term(agreement, timezone.localdate(now))
    birth.check_parties(person, team, doctor, start)
    birth.check_free(agreement)
    agreement.follows = birth.predecessor(agreement)
    packages = birth.packages_of(agreement, versions)
    birth.check_formalities(agreement, read, signature)
    if state in IN_FORCE:
        agreement.signed_at, agreement.signed_by = now, by
    agreement.number = numbers.take(team.institution, timezone.localdate(now).year)[0]
    agreement.save(force_insert=True)
    _fill(agreement, packages)
    if signature:
        _keep_signature(agreement, key, signature, signer, by, now)
    if state in IN_FORCE:
        planning.make([agreement])
    audit.record(
        Act.AGREE, by=by, request=request, resident=person, obj=agreement, detail={"state": str(state)}
    )
    return agreement


def change(*, agreement, by, versions=None, request=None, now=None, **fields):
    """Change a draft: start, years, team, doctor, way, text, representative, phone, address, note, versions.

    Conflict code: state."""
    now = now or timezone.now()
    with violations.told(Agreement), transaction.atomic():
        person = lock_people([agreement.resident])[0]
        row = lock(agreement, by, "contracts.sign_agreement", S.DRAFT)
        who = fields.pop("representative", None)
        if who is not None:
            fields |= {
                "representative": who.get("name", "").strip(), "representative_relation": who.get("relation", ""),
                "representative_phone": who.get("phone", "").strip(),
            }  # fmt: skip
        for name, value in fields.items():
            setattr(row, name, value)
        row.institution = row.team.institution
        allow(by, "contracts.sign_agreement", row.institution)
        birth.check_term(row, timezone.localdate(now))
        birth.check_parties(person, row.team, row.doctor, row.start)
        birth.check_formalities(row, False, None)
        chosen = versions if versions is not None else [package.version for package in row.packages.all()]
        packages = birth.packages_of(row, chosen)
        row.save()
        row.packages.all().delete()
        _fill(row, packages)
        audit.record(Act.AGREE, by=by, request=request, resident=person, obj=row, detail={"state": "draft"})
        return row


def put(*, agreement, by, request=None, now=None):
    """Put a draft before the resident: from now on nobody else can sign him, and it never changes. Codes as ``make``."""
    now = now or timezone.now()
    with violations.told(Agreement), transaction.atomic():
        lock_people([agreement.resident])
        seen = Agreement.objects.select_related("team", "doctor").get(pk=agreement.pk)
        load.hold(team=seen.team, doctor=seen.doctor)
        row = lock(agreement, by, "contracts.sign_agreement", S.DRAFT, done=S.PENDING)
        if row.state == S.PENDING:
            return row
        row.state = S.PENDING
        birth.check_term(row, timezone.localdate(now))
        birth.check_parties(row.resident, row.team, row.doctor, row.start)
        birth.check_free(row)
        row.follows = birth.predecessor(row)
        birth.packages_of(
            row, [package.version for package in row.packages.select_related("version__package")]
        )
        birth.check_formalities(row, True, None)
        row.save()
        _told(row, by, request)
        return row


def sign(*, agreement, by, signature, signer, read, key, request=None, now=None):
    """The pending one is signed: ``signature`` (Picture, kind), ``signer`` the name below it, ``key`` the client's. The
    same key again changes nothing. Refused codes: read, signature, resident, late; Conflict code: state."""
    now = now or timezone.now()
    with violations.told(Signature), transaction.atomic():
        person = lock_people([agreement.resident])[0]
        row = lock(agreement, by, "contracts.sign_agreement", S.PENDING, done=S.SIGNED)
        if row.state == S.SIGNED:
            if row.signatures.filter(uuid=key).exists():
                return row
            raise _moved(row)
        if row.end < timezone.localdate(now):
            raise Refused(_("Its term is over: please make a new one."), code="late")
        birth.check_living(person)
        row.state, row.signed_at, row.signed_by = S.SIGNED, now, by
        row.read_at = now if read else None
        birth.check_formalities(row, read, signature)
        row.save(update_fields=["state", "signed_at", "signed_by", "read_at"])
        _keep_signature(row, key, signature, signer, by, now)
        planning.make([row])
        _told(row, by, request)
        return row


def refuse(*, agreement, by, note="", why=None, request=None):
    """The resident does not sign; ``why`` of WhyNot is kept beside it. Conflict code: state."""
    with transaction.atomic():
        lock_people([agreement.resident])
        row = lock(agreement, by, "contracts.sign_agreement", S.PENDING, done=S.REFUSED)
        if row.state == S.REFUSED:
            return row
        row.state, row.refusal_note = S.REFUSED, _short(note)
        row.save(update_fields=["state", "refusal_note"])
        if why:
            reminders.not_signed(resident=row.resident, why=why, note=note, by=by, request=request)
        _told(row, by, request)
        return row


def take_back(*, agreement, by, note="", request=None):
    """Made by mistake, or given up before it was signed. Conflict code: state. ``by`` None is the system itself."""
    with transaction.atomic():
        row = lock(agreement, by, "contracts.sign_agreement", S.DRAFT, S.PENDING, done=S.REVOKED)
        if row.state == S.REVOKED:
            return row
        row.state, row.refusal_note = S.REVOKED, _short(note)
        row.save(update_fields=["state", "refusal_note"])
        _told(row, by, request)
        return row


def end(*, agreement, reason, by, note="", on=None, request=None, now=None):
    """End it early; ``on`` is its last day in force (today). ``by`` None is the system itself.

    A renewal that has not begun ends with it. Refused codes: reason, note, day; Conflict code: state. What is not done
    is no longer due (rules B4.7).
    """
    now, note = now or timezone.now(), _short(note)
    if reason not in EndReason.values or reason == EndReason.SWITCHED:
        raise Refused(_("Please choose a reason."), code="reason", field="reason")
    if reason == EndReason.OTHER and not note:
        raise Refused(_("Please say it in words."), code="note", field="note")
    with transaction.atomic():
        row = lock(agreement, by, "contracts.end_agreement", S.SIGNED, S.DEEMED, done=S.TERMINATED)
        if row.state == S.TERMINATED:
            return row
        day = on or timezone.localdate(now)
        if day < row.start - timedelta(days=1) and day < timezone.localdate(now):
            raise _no_day()
        for one in (row, *lock_waiting(row, now)):
            _end_on(one, S.TERMINATED, day, reason, note, by, now)
            _told(one, by, request)
        return row


def _end_on(row, state, day, reason, note, by, now):
    """Write the end of a locked one. Begun later than it ends, it never was in force."""
    today = timezone.localdate(now)
    day = max(day, row.start - timedelta(days=1))
    if not (day <= row.end and day <= max(today, row.start)):
        raise _no_day()
    row.state, row.ended_on, row.ended_at, row.ended_by = state, day, now, by
    row.end_reason, row.end_note = reason, note
    row.save(update_fields=["state", "ended_on", "ended_at", "ended_by", "end_reason", "end_note"])
    planning.close(row, max(day, row.start))


def _no_day():
    return Refused(_("The last day lies within the term and not after today."), code="day", field="on")


def lock_waiting(row, now):
    """Its renewal that is signed and has not begun, locked: at most one."""
    rows = Agreement.objects.select_for_update(of=("self",)).select_related("resident")
    return list(rows.filter(follows=row, state__in=IN_FORCE, start__gt=timezone.localdate(now)))


def switch_away(row, new_start, by, now):
    """The old one of a change of team ends the day before the new one begins. The caller holds its lock."""
    _end_on(row, S.SWITCHED, new_start - timedelta(days=1), EndReason.SWITCHED, "", by, now)


def reassign(*, agreement, doctor, by, request=None):
    """Another family doctor of the same team. Refused codes: doctor, cap; Conflict code: state."""
    with transaction.atomic():
        if (
            not TeamMember.objects.on()
            .family_doctors()
            .filter(team=agreement.team_id, person=doctor, person__is_active=True)
            .exists()
        ):
            raise Refused(_("This person is no family doctor of the team."), code="doctor", field="doctor")
        load.hold(team=agreement.team, doctor=doctor, more=0, doctor_more=1)
        row = lock(agreement, by, "contracts.sign_agreement", *ALIVE)
        if row.doctor_id != doctor.pk:
            row.doctor = doctor
            row.save(update_fields=["doctor"])
            _told(row, by, request)
        return row


def allow(by, right, institution):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    if not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This team is another institution's."), code="elsewhere")


def lock_people(residents):
    """The surviving rows, locked in one order."""
    keys = [resident.survivor.pk for resident in residents]
    if len(set(keys)) < len(keys):
        raise Refused(_("The same person is chosen twice."), code="resident")
    rows = Resident.objects.select_for_update(of=("self",)).select_related("home").order_by("pk")
    people = list(rows.filter(pk__in=keys))
    if any(person.merged_into_id for person in people):
        raise Conflict(_("Somebody merged one of these rows just now. Please look again."), code="merged")
    return people


def lock(agreement, by, right, *states, done=None):
    """The row itself, locked. ``by`` None is the system. Conflict where it is in none of ``states``, nor ``done``."""
    rows = Agreement.objects.select_for_update(of=("self",)).select_related(
        "team__institution", "institution", "doctor", "resident", "text"
    )
    row = rows.get(pk=agreement.pk)
    if by is not None:
        allow(by, right, row.institution)
    if row.state not in states and row.state != done:
        raise _moved(row)
    return row


def _moved(row):
    return Conflict(
        _("This agreement is “%(state)s” by now; that is not possible.") % {"state": row.get_state_display()},
        code="state",
    )


def of_key(key, person, team, follows=None):
    found = Agreement.objects.filter(uuid=key).first()
    if found is None:
        return None
    other = follows is not None and found.follows_id != follows.pk
    if other or (found.resident_id, found.team_id) != (person.pk, team.pk):
        raise Conflict(_("This key belongs to another agreement."), code="key")
    return found


def _fill(agreement, packages):
    for package in packages:
        package.agreement = agreement
    AgreementPackage.objects.bulk_create(packages)


def _keep_signature(agreement, key, signature, signer, by, now):
    picture, kind = signature
    Signature.objects.create(
        uuid=key, agreement=agreement, party=Party.RESIDENT, kind=kind,
        signer=(signer or agreement.representative or agreement.resident.name)[:60], picture=picture.data,
        mime=picture.mime, width=picture.width, height=picture.height, sha256=picture.sha256, made_at=now, made_by=by,
    )  # fmt: skip


def _told(row, by, request):
    audit.record(
        Act.AGREE, by=by, request=request, resident=row.resident, obj=row, detail={"state": str(row.state)}
    )


def _short(note):
    note = note.strip()
    if len(note) > NOTE_LIMIT:
        raise Refused(_("The remark is longer than 200 characters."), code="note", field="note")
    return note
