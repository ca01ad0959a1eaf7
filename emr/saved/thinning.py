"""Texts of closed drafts, thinned to the last of each minute; receipts stay (rules B1, B2.2).

All texts are kept until the draft is closed (signed, withdrawn, its visit cancelled) and DRAFT_TEXT_DAYS longer;
then a field of a save that a later save of the same draft and minute overwrites is let go. The state at the end of
every minute stays exact. The database's trigger allows nothing else, and nothing before the 30th day.
"""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction

from emr.codes import EncounterStatus

LEGAL_DAYS = 30  # the trigger's (migration saves_and_faults); the setting may be longer, never shorter
BATCH = 200

# Drafts with a save that is not thinned yet, by the index save_to_thin: one entry for each note.
DUE = """
SELECT s.id, s.saved_at, s.note_id, s.correction_id,
       coalesce(
           CASE WHEN s.correction_id IS NULL
               THEN coalesce(n.signed_at, CASE WHEN e.status = %(cancelled)s THEN e.finished_at END)
               ELSE coalesce(c.signed_at, c.withdrawn_at) END < %(before)s,
           false)
FROM emr_save s
JOIN emr_note n ON n.id = s.note_id
JOIN emr_encounter e ON e.id = n.encounter_id
LEFT JOIN emr_correction c ON c.id = s.correction_id
WHERE s.thinned_at IS NULL AND (s.version = 1 OR s.correction_id IS NOT NULL)
  AND s.saved_at < %(before)s AND (s.saved_at, s.id) > (%(after)s, %(after_id)s)
ORDER BY s.saved_at, s.id LIMIT %(limit)s
"""

# A run is an unbroken row of versions of one draft within one minute.
THIN = """
WITH line AS (
    SELECT id, note_id, correction_id, version, changes, floor(extract(epoch FROM saved_at) / 60) AS minute
    FROM emr_save WHERE note_id = ANY(%(notes)s)
), step AS (
    SELECT *, (minute, coalesce(correction_id, 0)) IS DISTINCT FROM
        (lag(minute) OVER after, lag(coalesce(correction_id, 0)) OVER after) AS new
    FROM line WINDOW after AS (PARTITION BY note_id ORDER BY version)
), run AS (
    SELECT *, count(*) FILTER (WHERE new) OVER (PARTITION BY note_id ORDER BY version) AS run FROM step
), part AS (
    SELECT run.id, key, row_number() OVER (PARTITION BY note_id, run, key ORDER BY version DESC) AS place
    FROM run CROSS JOIN LATERAL jsonb_object_keys(changes) AS key
    WHERE (note_id, coalesce(correction_id, 0)) IN (SELECT * FROM unnest(%(notes)s, %(corrections)s))
), gone AS (
    SELECT id, array_agg(key) AS keys FROM part WHERE place > 1 GROUP BY id
)
UPDATE emr_save SET changes = emr_save.changes - gone.keys, thinned_at = clock_timestamp()
FROM gone WHERE emr_save.id = gone.id
"""
DONE = """
UPDATE emr_save SET thinned_at = clock_timestamp()
WHERE note_id = ANY(%(notes)s) AND thinned_at IS NULL AND (version = 1 OR correction_id IS NOT NULL)
  AND (note_id, coalesce(correction_id, 0)) IN (SELECT * FROM unnest(%(notes)s, %(corrections)s))
"""


def thin(now, batch=BATCH) -> int:
    """Thin what is due; return how many saves lost a text. Each batch is a transaction of its own, so that a run
    that is cut off goes on where it stopped; two at once find nothing twice."""
    before = now - timedelta(days=max(settings.DRAFT_TEXT_DAYS, LEGAL_DAYS))
    asked = {"before": before, "cancelled": EncounterStatus.CANCELLED, "limit": batch}
    after, count = ("-infinity", 0), 0
    while rows := _due({**asked, "after": after[0], "after_id": after[1]}):
        after = rows[-1][1], rows[-1][0]
        drafts = sorted({(note, correction or 0) for _id, _at, note, correction, due in rows if due})
        if drafts:
            count += _thin(drafts)
    return count


def _due(asked):
    with connection.cursor() as cursor:
        cursor.execute(DUE, asked)
        return cursor.fetchall()


@transaction.atomic
def _thin(drafts):
    asked = {"notes": [note for note, _c in drafts], "corrections": [correction for _n, correction in drafts]}
    with connection.cursor() as cursor:
        cursor.execute(THIN, asked)
        thinned = cursor.rowcount
        cursor.execute(DONE, asked)
    return thinned
