"""What stands on the two national forms 双向转诊（转出）单 and （回转）单 (国家基本公共卫生服务规范, rules B5.4): which
fields, how long, and what each is prefilled with."""

from django.utils.translation import gettext as _

from clinic.codes import InstitutionKind
from clinic.errors import Refused
from clinic.models import Institution
from clinic.text import is_storable
from emr import prescribing
from emr.codes import Certainty, ReferralDirection
from emr.models import Note, Referral
from emr.signed import versions

# As long as two of the chart's boxes: treatment and medication come together here.
LONG = 40_000
# field: the most characters. The forms' order.
SENT = {
    "direction": 4, "to_name": 100, "to_department": 60, "to_doctor": 60, "impression": LONG,
    "present_illness": LONG, "past_history": LONG, "treatment_course": LONG, "from_department": 30,
    "doctor_phone": 30,
}  # fmt: skip
RETURNED = {
    "return_diagnosis": LONG, "inpatient_number": 40, "results": LONG, "return_course": LONG,
    "return_doctor": 60, "return_phone": 30,
}  # fmt: skip
NEEDED = ("impression", "present_illness", "return_diagnosis", "return_course", "return_doctor")
REMEMBERED = 20
LOOKED_AT = 500


def check_sent(sheet, by) -> dict:
    """The columns of a referral from what was typed; ``to_institution`` is an Institution or None.

    Raises Refused code "sheet" or "to" with ``field``.
    """
    fields = _checked(sheet, SENT)
    where = sheet.get("to_institution")
    if where is None:
        if not fields["to_name"]:
            raise Refused(
                _("Please choose where to, or write the hospital's name."), code="to", field="to_name"
            )
    elif fields["to_name"]:
        raise Refused(
            _("Please either choose an institution or write a hospital's name."), code="to", field="to_name"
        )
    elif where not in places_for(by):
        raise Refused(_("Nobody can be referred to this institution."), code="to", field="to_institution")
    else:
        fields["to_name"] = where.name
    if fields["direction"] not in ReferralDirection.values:
        fields["direction"] = direction(by.institution, where)
    return {**fields, "to_institution": where}


def check_returned(sheet) -> dict:
    """The columns of the return form. Raises Refused code "sheet" with ``field``."""
    return _checked(sheet, RETURNED)


def check_text(name, text, limit):
    """Raise Refused where the text cannot be kept as it is."""
    if not isinstance(text, str) or not is_storable(text):
        raise Refused(_("This text holds signs that cannot be stored."), code="sheet", field=name)
    if len(text) > limit:
        facts = {"limit": limit, "count": len(text)}
        raise Refused(
            _("At most %(limit)d characters; these are %(count)d.") % facts, code="sheet", field=name
        )


def _checked(sheet, limits):
    fields = {}
    for name, limit in limits.items():
        text = sheet.get(name) or ""
        check_text(name, text, limit)
        fields[name] = text.strip()
        if name in NEEDED and not fields[name]:
            raise Refused(_("Please fill this in."), code="sheet", field=name)
    return fields


def places_for(user):
    """Institutions that see patients, besides one's own."""
    working = Institution.objects.visible_to(user).active().exclude(pk=user.institution_id)
    return working.exclude(kind=InstitutionKind.DISTRICT)


def direction(sender, receiver) -> ReferralDirection:
    """Down goes what a centre sends to a station; everything else, hospitals first of all, goes up."""
    down = (
        receiver is not None
        and sender.kind == InstitutionKind.CENTRE
        and receiver.kind == InstitutionKind.STATION
    )
    return ReferralDirection.DOWN if down else ReferralDirection.UP


def head_of(resident) -> dict:
    """The head of the form, as the person is registered that day."""
    return {
        "name": resident.name,
        "sex": resident.sex,
        "birth_date": resident.birth_date.isoformat(),
        "record_number": resident.record_number or "",
        "address": " ".join(filter(None, [str(resident.community or ""), resident.address])),
        "phone": resident.phone,
    }


def remembered(user) -> list[str]:
    """Hospitals outside that one's own institution referred to before, the last one first."""
    sent = Referral.objects.filter(from_institution=user.institution_id).order_by("-sent_at")
    names = sent.values_list("to_name", "to_institution")[:LOOKED_AT]
    return list(dict.fromkeys(name for name, inside in names if inside is None))[:REMEMBERED]


def from_visit(note, user) -> dict:
    """First values of the form from the text in force of a visit's note, a draft or signed."""
    text = _in_force(note)
    if text.void:  # a signature that was undone: it stood in the wrong record
        return from_nothing(user)
    return {
        **from_nothing(user),
        "from_department": note.encounter.department,
        "impression": diagnoses(text),
        "present_illness": text.present_illness.strip() or text.chief_complaint.strip(),
        "past_history": text.past_history.strip(),
        "treatment_course": course(text),
    }


def from_nothing(user) -> dict:
    """First values without a visit."""
    return {
        "direction": direction(user.institution, None).value,
        "from_department": user.department,
        "doctor_phone": user.phone or user.institution.phone,
    }


def for_return(referral, user) -> dict:
    """First values of the return form: from the signed note of the visit that the referral led to."""
    who = {"return_doctor": user.name, "return_phone": user.phone or user.institution.phone}
    if referral.is_outside:
        return {}
    seen = Note.objects.visible_to(user).filter(
        encounter__resident__in=referral.resident.survivor.record_ids(),
        encounter__institution=referral.to_institution_id,
        encounter__arrived_at__gte=referral.sent_at,
        signed_at__isnull=False,
    )
    note = seen.select_related("encounter").order_by("-signed_at").first()
    if note is None or _in_force(note).void:
        return who
    text = note
    return {
        **who,
        "results": text.examinations.strip(),
        "return_diagnosis": diagnoses(text),
        "return_course": course(text),
    }


def _in_force(note):
    versions.overlay([note])
    return note


def diagnoses(text) -> str:
    """The diagnoses of a note on one line, the primary one first; doubtful ones say so."""
    lines = sorted(text.diagnoses, key=lambda line: not line.get("primary"))
    names = [
        _("%(diagnosis)s (suspected)") % {"diagnosis": name}
        if line.get("certainty") == Certainty.SUSPECTED
        else name
        for line in lines
        if (name := line.get("name", "").strip())
    ]
    return "；".join(names)


def course(text) -> str:
    """Treatment, then the medication line by line."""
    drugs = [
        " ".join(str(part) for part in line.values() if part)
        for line in prescribing.readable(text.medications)
    ]
    return "\n".join(part for part in (text.treatment.strip(), *drugs) if part)
