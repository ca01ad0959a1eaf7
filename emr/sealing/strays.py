"""What no seal covers and yet would count: lines beside the signed versions, and signatures that the audit trail
remembers although their note is gone."""

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.codes import Act
from emr.sealing.broken import MOST

# Lines of imported notes are no signed ones. A signed version without a seal is told as such, or waits for its adoption.
LINES = """
SELECT DISTINCT n.uuid, e.institution_id, COALESCE(e.started_at, e.arrived_at)
FROM {table} l JOIN emr_note n ON n.id = l.note_id JOIN emr_encounter e ON e.id = n.encounter_id
LEFT JOIN emr_correction c ON c.id = l.correction_id AND c.note_id = l.note_id AND c.signed_at IS NOT NULL
LEFT JOIN emr_seal s ON s.note_id = l.note_id AND COALESCE(s.correction_id, 0) = COALESCE(l.correction_id, 0)
WHERE s.id IS NULL AND NOT n.imported AND (n.signed_at IS NULL OR (l.correction_id IS NOT NULL AND c.id IS NULL))
LIMIT %s
"""
# The trail has its own chain: whoever deletes a note would have to break both.
SIGNATURES = """
SELECT a.object_id, a.at, a.institution
FROM clinic_auditentry a LEFT JOIN {table} n ON n.uuid::text = a.object_id AND n.signed_at IS NOT NULL
WHERE a.act = %s AND a.object_type = %s AND {signed} AND n.id IS NULL
ORDER BY a.id LIMIT %s
"""
SIGNED = (
    (Act.SIGN, "emr.note", "emr_note", "true"),
    (Act.CORRECT, "emr.correction", "emr_correction", "a.detail->>'event' = 'sign'"),
)


def look(broken):
    with connection.cursor() as cursor:
        for table in ("emr_diagnosis", "emr_medication"):
            cursor.execute(LINES.format(table=table), [MOST])
            for note, place, at in cursor.fetchall():
                broken.add(
                    _(
                        "%(date)s, %(institution)s, note %(note)s: a line of diagnoses or medication was inserted."
                    )
                    % {"date": _day(at), "institution": broken.place(place), "note": note}
                )
        for act, kind, table, signed in SIGNED:
            cursor.execute(SIGNATURES.format(table=table, signed=signed), [act, kind, MOST])
            for gone, at, place in cursor.fetchall():
                broken.add(_gone(kind) % {"date": _day(at), "institution": place, "id": gone})


def _gone(kind):
    if kind == "emr.note":
        return _("%(date)s, %(institution)s, note %(id)s: it was signed, and now it is gone.")
    return _("%(date)s, %(institution)s, correction %(id)s: it was signed, and now it is gone.")


def _day(at):
    return f"{timezone.localtime(at):%Y-%m-%d}"
