"""What a new note may take over from the resident's earlier visits, as the charting rules allow.

Past history is carried, since it stays true. Signs, examinations and treatment are of their day and are
never copied: a copied finding is an invented one (rules B1.3, B1.9).
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Allergy, Problem
from emr.codes import EncounterStatus, StandingKind, VisitKind
from emr.models import Encounter, StandingHistory
from emr.signed import versions


def for_start(visit) -> dict:
    """First values of a note's fields at the start of ``visit``; only fields with something to say.

    A return visit is one within the settings' days after a signed one of the same institution; another
    illness makes it a first visit again, which is the doctor's to say (rules B1.6).
    """
    person = visit.resident.survivor
    last = _last_signed(visit, person)
    fields = {}
    if last is not None and last.institution_id == visit.institution_id and _recent(last, visit):
        fields["visit_kind"] = VisitKind.RETURN.value
    history, mark = _past_history(person, last, visit.arrived_at)
    if history:
        fields |= {"past_history": history, "marks": {"past_history": mark}}
    return fields


def _past_history(person, last, now):
    """The standing one that somebody confirmed, else that of the last signed note, else what the file knows; with
    its mark, which says where it is long unconfirmed."""
    if row := standing_row(person):
        stale = {"stale": True} if row.is_stale(now) else {}
        return row.text, {"how": "carried", "from": "", **stale}
    if last is not None and last.note.past_history:
        return last.note.past_history, {"how": "carried", "from": str(last.uuid)}
    return standing_history(person), {"how": "carried", "from": ""}


def standing_row(person):
    """The past history confirmed last, absorbed rows included, or None."""
    rows = StandingHistory.objects.of_file(person).filter(kind=StandingKind.PAST)
    return rows.exclude(text="").first()


def _recent(last, visit):
    return visit.arrived_at - last.arrived_at <= timedelta(days=settings.RETURN_VISIT_DAYS)


def _last_signed(visit, person):
    """The last visit with a signature here, else anywhere within the resident's file."""
    signed = (
        Encounter.objects.of_resident(person)
        .filter(status=EncounterStatus.FINISHED, note__signed_at__isnull=False)
        .exclude(pk=visit.pk)
        .exclude(note__corrections__void=True, note__corrections__signed_at__isnull=False)
        .select_related("note")
        .annotate(correction=versions.in_force("note__pk"))
    )
    last = signed.filter(institution=visit.institution_id).first() or signed.first()
    if last is not None:
        versions.take(last.note, last.correction)
    return last


def standing_history(resident) -> str:
    """Known problems and allergies as a sentence for the doctor to correct; empty where nothing is known."""
    of_person = Q(resident__in=resident.record_ids())
    problems = Problem.objects.filter(of_person, resolved_on=None).values_list("name", flat=True)
    allergies = Allergy.objects.filter(of_person, refuted_on=None).values_list("substance", flat=True)
    parts = []
    if problems:
        parts.append(_("History of %(problems)s.") % {"problems": _("、").join(dict.fromkeys(problems))})
    if allergies:
        parts.append(
            _("Allergic to %(substances)s.") % {"substances": _("、").join(dict.fromkeys(allergies))}
        )
    elif resident.no_known_allergies_on:
        parts.append(_("No known drug allergies."))
    return "".join(parts)
