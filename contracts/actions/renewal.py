"""Renewing one agreement (rules B4.8): from the day after its last one, or today. The old one stays in force until its
last day; contracts.lifecycle makes it renewed then. By the thousand: contracts.actions.renewals."""

from django.db import transaction
from django.utils import timezone

from clinic import violations
from clinic.errors import Conflict
from contracts import eligibility, load, renewing, terms
from contracts.actions import agreements as acts
from contracts.codes import AgreementState, Source
from contracts.models import Agreement, Signature


def renew(
    *, key, agreement, by, text, read, years=None, versions=None, way=None, representative=None, signature=None, signer="",
    request=None, now=None,
):  # fmt: skip
    """Renew it with the same team; return the new agreement. The same ``key`` again returns it.

    Left out: as many years, the same packages in today's version, the same representative. Refused codes: those of
    agreements.make; Conflict code: taken.
    """
    now = now or timezone.now()
    today = timezone.localdate(now)
    acts.allow(by, "contracts.sign_agreement", agreement.institution)
    with violations.told(Agreement, Signature), transaction.atomic():
        person = acts.lock_people([agreement.resident])[0]
        if known := acts.of_key(key, person, agreement.team, follows=agreement):
            return known
        doctor = renewing.doctor_of(agreement, terms.renewal_start(agreement, today))
        more = 0 if agreement.is_alive else 1
        load.hold(
            team=agreement.team, doctor=doctor, more=more, doctor_more=more or int(doctor.pk != agreement.doctor_id)
        )  # fmt: skip
        old = acts.lock(agreement, by, "contracts.sign_agreement", *renewing.RENEWABLE)
        if why := renewing.why_not(old, today, renewing.followed([old.pk])):
            raise Conflict(why, code="taken")
        start = terms.renewal_start(old, today)
        if versions is None:
            groups = eligibility.groups_of([person], start)[person.pk]
            versions = renewing.fitting(
                renewing.versions_of([old], {old.pk: start})[old.pk], person, groups, start
            )
        return acts.born(
            key=key, person=person, team=old.team, doctor=doctor, by=by, start=start, years=years or old.years,
            versions=versions, way=way or renewing.way_of(old), now=now, text=text, read=read,
            representative=renewing.representative_of(old) if representative is None else representative,
            phone=old.phone, address=old.address, source=Source.RENEWAL, state=AgreementState.SIGNED, signature=signature,
            signer=signer, follows=old, request=request,
        )  # fmt: skip
