"""What a draft said at any of its versions: the sum of its saves (emr.models.Save).

A correction's draft begins with the text that was in force when it was opened.
"""

from django.db import connection

from emr.actions.drafts import fingerprint
from emr.models import Correction, Note, Save

# The last value of each field up to a version; the database reads the texts, and only the last ones travel.
LAST = """
SELECT DISTINCT ON (part.key) part.key, part.value::text, s.version
FROM emr_save s CROSS JOIN LATERAL jsonb_each(s.changes) part
WHERE s.note_id = %s AND s.correction_id IS NOT DISTINCT FROM %s AND s.version <= %s
ORDER BY part.key, s.version DESC
"""
MATCHES, THINNED, DIFFERS = "matches", "thinned", "differs"


def state(save) -> dict:
    """{field: value} of every draft field after this save, one query (two for a correction's)."""
    return state_at(save.note_id, save.correction, save.version)


def before(save) -> dict:
    """The same just before this save."""
    return state_at(save.note_id, save.correction, save.version - 1)


def state_at(note_id, correction, version) -> dict:
    found = _start(correction)
    with connection.cursor() as cursor:
        cursor.execute(LAST, [note_id, correction and correction.pk, version])
        rows = cursor.fetchall()
    from_json = Save._meta.get_field("changes").from_db_value
    for name, value, _version in rows:
        if name in found:
            found[name] = from_json(value, None, connection)
    return found


def check(save) -> str:
    """The receipt's hash held against what is stored now: MATCHES, THINNED (a part was let go), or DIFFERS."""
    if fingerprint(save.changes) == save.sha256:
        return MATCHES
    return THINNED if save.thinned_at else DIFFERS


def _start(correction):
    if correction is None:
        return {name: Note._meta.get_field(name).get_default() for name in Note.DRAFT_FIELDS}
    earlier = Correction.objects.signed().filter(note=correction.note_id, number__lt=correction.number)
    text = earlier.order_by("-number").first() or correction.note
    return {name: getattr(text, name) for name in Note.DRAFT_FIELDS}
