"""Changing the team 改签: asked for, then agreed or refused with a reason. The old agreement ends as the new one begins,
in one transaction (rules B4.7, B4.8)."""

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from contracts import birth, eligibility, load, renewing
from contracts.actions import agreements as acts
from contracts.codes import IN_FORCE, AgreementState, Source, SwitchState
from contracts.models import Agreement, AgreementText, Signature, SwitchRequest

LONGEST = 200


def ask(*, agreement, to_team, to_doctor, reason, by, request=None, now=None):
    """Write down the resident's wish; return the request. The same wish twice is one.

    Refused codes: reason, team, doctor, resident; Conflict codes: state, taken (another wish is open).
    """
    now, reason = now or timezone.now(), _reason(reason)
    if not by.has_perm("contracts.add_switchrequest"):
        raise Forbidden(_("Your role does not allow this."))
    if not Agreement.objects.visible_to(by).filter(pk=agreement.pk).exists():
        raise Forbidden(_("This agreement is another institution's."), code="elsewhere")
    with violations.told(SwitchRequest), transaction.atomic():
        row = acts.lock(agreement, None, "", *IN_FORCE)
        _check(row, to_team, to_doctor, timezone.localdate(now))
        given = {"agreement": row, "to_team": to_team, "to_doctor": to_doctor, "reason": reason}
        if known := SwitchRequest.objects.open().filter(**given).first():
            return known
        made = SwitchRequest.objects.create(**given, asked_by=by, asked_at=now)
        _told(made, by, request)
        return made


def _check(agreement, to_team, to_doctor, day):
    if to_team.pk == agreement.team_id:
        raise Refused(_("This is the team already."), code="team", field="to_team")
    birth.check_parties(agreement.resident, to_team, to_doctor, day)


def agree(*, switch, by, text, read=True, signature=None, signer="", key=None, request=None, now=None):
    """Let the resident go: the old one ends yesterday, the new one begins today, waiting for its signature or signed at
    once. Returns the request, its new agreement as ``made``; a second time changes nothing.

    Refused codes: those of agreements.make; Conflict code: state.
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    with violations.told(Agreement, Signature), transaction.atomic():
        person = acts.lock_people([switch.agreement.resident])[0]
        team, doctor = switch.to_team, get_user_model().objects.get(pk=switch.to_doctor_id)
        load.hold(team=team, doctor=doctor)
        old = acts.lock(switch.agreement, None, "", *IN_FORCE, done=AgreementState.SWITCHED)
        row = _open(switch, by, SwitchState.AGREED)
        if row.state == SwitchState.AGREED:
            return row
        last = old
        for later in acts.lock_waiting(
            old, now
        ):  # renewed already: the renewal is let go too, and is what we follow
            acts.switch_away(later, today, by, now)
            last = later
        acts.switch_away(old, today, by, now)
        new = acts.born(
            key=key or row.uuid, person=person, team=team, doctor=doctor, by=by, start=today, years=old.years,
            versions=_versions(old, person, team, today), way=renewing.way_of(old), now=now, text=text,
            read=read and signature is not None, representative=renewing.representative_of(old), phone=old.phone,
            address=old.address, source=Source.SWITCH, follows=last, signature=signature, signer=signer, request=request,
            state=AgreementState.SIGNED if signature else AgreementState.PENDING,
        )  # fmt: skip
        row.made = new
        return _decided(row, SwitchState.AGREED, "", by, request, now)


def refuse(*, switch, by, reason, request=None, now=None):
    """With a reason that the resident can be told. Refused code: reason; Conflict code: state."""
    reason = _reason(reason)
    with transaction.atomic():
        acts.lock(switch.agreement, None, "", *AgreementState)
        row = _open(switch, by, SwitchState.REFUSED)
        if row.state == SwitchState.REFUSED:
            return row
        return _decided(row, SwitchState.REFUSED, reason, by, request, now or timezone.now())


def withdraw(*, switch, by, request=None, now=None):
    """The resident stays after all, says the side that asked. Conflict code: state."""
    with transaction.atomic():
        acts.lock(switch.agreement, None, "", *AgreementState)
        row = _open(switch, by, SwitchState.WITHDRAWN, right="contracts.add_switchrequest")
        if row.state == SwitchState.WITHDRAWN:
            return row
        return _decided(row, SwitchState.WITHDRAWN, "", by, request, now or timezone.now())


def text_for(team, day) -> AgreementText | None:
    """The newest published wording that is used at the team's institution."""
    rows = AgreementText.objects.used_at(team.institution).filter(
        published_at__isnull=False, valid_from__lte=day
    )
    return rows.order_by("-valid_from", "-pk").first()


def _versions(old, person, team, day):
    """The same packages where the new team offers them; else its basic ones."""
    groups = eligibility.groups_of([person], day)[person.pk]
    same = renewing.versions_of([old], {old.pk: day})[old.pk]
    offered = {
        version.pk: version for version, why in eligibility.offered(team.institution, person, day) if not why
    }
    kept = [version for version in renewing.fitting(same, person, groups, day) if version.pk in offered]
    return kept or [version for version in offered.values() if version.package.kind == "basic"][:1]


def _open(switch, by, done, right="contracts.decide_switchrequest"):
    """The request, locked, still open or already as wanted. The old team's side decides."""
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))
    rows = SwitchRequest.objects.visible_to(by).select_for_update(of=("self",))
    row = (
        rows.select_related(
            "agreement__institution", "agreement__resident", "to_team__institution", "asked_by__institution"
        )
        .filter(pk=switch.pk)
        .first()
    )
    if row is None:
        raise Forbidden(_("This agreement is another institution's."), code="elsewhere")
    if done != SwitchState.WITHDRAWN and not row.agreement.institution.path.startswith(by.institution.path):
        raise Forbidden(_("The team that lets the resident go decides."), code="elsewhere")
    if done == SwitchState.WITHDRAWN and not is_asking(row, by):
        raise Forbidden(_("Only the side that asked can withdraw it."), code="elsewhere")
    if row.state not in (SwitchState.ASKED, done):
        raise Conflict(_("This change of team has been decided."), code="state")
    return row


def is_asking(switch, user):
    """Whether the user is on the side that asked. The other one agrees, or refuses with a reason."""
    sides = (switch.asked_by.institution, switch.to_team.institution)
    return any(side.path.startswith(user.institution.path) for side in sides)


def _decided(row, state, reason, by, request, now):
    row.state, row.decision_reason, row.decided_by, row.decided_at = state, reason, by, now
    row.save(update_fields=["state", "decision_reason", "decided_by", "decided_at", "made"])
    _told(row, by, request)
    return row


def _told(row, by, request):
    audit.record(
        Act.AGREE,
        by=by,
        request=request,
        resident=row.agreement.resident,
        obj=row,
        detail={"switch": str(row.state)},
    )


def _reason(text):
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise Refused(_("Please give a short reason."), code="reason", field="reason")
    return text
