"""Who wants which messages: numbers that want none, and each resident's last word on each purpose.

A no is honoured for every purpose. A yes is asked for only where the installation says so (SMS_CONSENT_PURPOSES):
reminders of a clinic are service, not advertising (rules B6.2); silence is no consent where consent is needed.
"""

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from messaging.codes import Purpose
from messaging.models import Consent, OptOut

# The last word of each person, whichever row of a merged file it was written on.
LAST_WORDS = """
    WITH asked AS (SELECT unnest(%s::bigint[]) AS id)
    SELECT DISTINCT ON (asked.id) asked.id, said.given
    FROM asked
    JOIN LATERAL (
        SELECT id FROM clinic_resident WHERE id = asked.id
        UNION ALL
        SELECT id FROM clinic_resident WHERE merged_into_id = asked.id
    ) AS file ON true
    JOIN messaging_consent AS said ON said.resident_id = file.id AND said.purpose = %s
    ORDER BY asked.id, said.id DESC
"""


def refused_phones(phones: Iterable[str]) -> set[str]:
    """Those of the numbers that want no messages at all. One query."""
    rows = OptOut.objects.filter(ended_at=None, phone__in=list(phones))
    return set(rows.values_list("phone", flat=True))


def willing(resident_ids: Iterable[int], purpose: str) -> set[int]:
    """Row numbers of the residents whose word lets messages of this purpose through. One query; nobody is asked about
    emergencies."""
    ids = list(resident_ids)
    if purpose == Purpose.EMERGENCY or not ids:
        return set(ids)
    said = _last_words(ids, purpose)
    if purpose in settings.SMS_CONSENT_PURPOSES:
        return {one for one in ids if said.get(one)}
    return {one for one in ids if said.get(one, True)}


def _last_words(ids, purpose):
    """{row number: agreed or not} of those who said anything."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_WORDS, [ids, purpose])
        return dict(cursor.fetchall())


def of(resident_ids: Iterable[int]) -> dict[str, Consent]:
    """{purpose: the last word on it} of one person's file (``Resident.record_ids``). One query."""
    rows = (
        Consent.objects.filter(resident__in=list(resident_ids))
        .select_related("by")
        .order_by("purpose", "-pk")
        .distinct("purpose")
    )
    return {row.purpose: row for row in rows}
