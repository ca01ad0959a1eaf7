"""Registering many residents at once, from a sheet that was checked row by row."""

from django.db import transaction
from simple_history.utils import bulk_create_with_history

from clinic import audit, record_numbers, violations
from clinic.codes import Act, TagSource
from clinic.models import KeyTag, Resident

BATCH = 500


@transaction.atomic
def register_all(*, incoming, by, request=None):
    """All or none. Each row's facts were checked by the rules of registration; the database has the last word.

    ``incoming`` are (row, resident, tags) objects. In bulk: row by row a sheet of 5000 takes a minute.
    """
    people = [one.resident for one in incoming]
    for resident in people:
        resident.derive()
    _number(people)
    with violations.told(Resident):
        bulk_create_with_history(people, Resident, batch_size=BATCH, default_user=by)
    tags = [
        KeyTag(resident=one.resident, tag=tag, source=TagSource.IMPORT)
        for one in incoming
        for tag in dict.fromkeys(one.tags)
    ]
    bulk_create_with_history(tags, KeyTag, batch_size=BATCH, default_user=by)
    for resident in people:
        audit.record(Act.CREATE, by=by, request=request, resident=resident, obj=resident)
    audit.record(Act.IMPORT, by=by, request=request, detail={"what": "residents", "rows": len(people)})
    return people


def _number(people):
    """Health-record numbers, neighbourhood by neighbourhood, in one order so that two imports cannot wait
    for each other."""
    by_community = {}
    for resident in people:
        if resident.community_id:
            by_community.setdefault(resident.community_id, []).append(resident)
    for _key, neighbours in sorted(by_community.items()):
        numbers = record_numbers.take_many(neighbours[0].community, len(neighbours))
        for resident, number in zip(neighbours, numbers, strict=True):
            resident.record_number = number
