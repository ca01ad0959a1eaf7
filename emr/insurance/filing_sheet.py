"""What to type into the city's system, in its order: person, insurance, referral."""

from django.utils.translation import gettext as _

from clinic.codes import Sex
from clinic.identifiers import mask_id


def sheet_of(claim, whole) -> list:
    """[(title, [(name, label, value)])]; ``whole`` False masks the numbers that name a person."""
    number = str if whole else mask_id
    sex = Sex(claim.sex).label if claim.sex in Sex.values else ""
    person = [
        ("name", _("person's name"), claim.name),
        ("sex", _("sex"), sex),
        ("born", _("date of birth"), claim.birth_date),
        ("id-type", _("ID type"), claim.id_type_text),
        ("id-number", _("ID number"), number(claim.id_number) if claim.id_number else ""),
        ("insurance", _("insurance"), claim.insurance_text),
        (
            "insurance-number",
            _("insurance number"),
            number(claim.insurance_number) if claim.insurance_number else "",
        ),
        ("group", _("old or young"), claim.group_text),
    ]
    referral = [
        ("referral", _("referral number"), claim.referral_number),
        ("from", _("from"), claim.from_name),
        ("from-code", _("code of the sender"), claim.from_code),
        ("to", _("to"), claim.to_name),
        ("to-department", _("to department"), claim.to_department),
        *_diagnoses(claim),
        ("on", _("date of referral"), claim.on.isoformat()),
        ("doctor", _("referring doctor"), claim.doctor),
    ]
    return [(_("Person"), person), (_("Referral"), referral)]


def _diagnoses(claim):
    """Each diagnosis with its code; without any, what the doctor wrote on the form."""
    if not claim.diagnoses:
        return [("diagnosis", _("first impression"), claim.impression)]
    lines = []
    for at, (code, name) in enumerate(claim.diagnoses, start=1):
        label = _("diagnosis %(number)d") % {"number": at}
        lines += [(f"diagnosis-{at}", label, name)]
        if code:
            lines += [(f"code-{at}", _("code of diagnosis %(number)d") % {"number": at}, code)]
    return lines
