"""Key populations: who belongs since when, on whose word, and until when."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit, violations
from clinic.actions.residents.locking import locked, past_day
from clinic.codes import Act, KeyPopulation, TagSource
from clinic.errors import Conflict, Refused
from clinic.models import KeyTag


@transaction.atomic
def tag(*, resident, tag, by, source=TagSource.SURVEY, since=None, request=None):
    row = locked(resident, by)
    if tag not in KeyPopulation or source not in TagSource:
        raise Refused(_("Please choose one of the list."), field="tag")
    made = KeyTag(resident=row, tag=tag, source=source, since=past_day(since, "since"))
    with violations.told(KeyTag):
        made.save(force_insert=True)
    audit.record(Act.CREATE, by=by, request=request, resident=row, obj=made)
    return made


@transaction.atomic
def untag(*, key_tag, by, until=None, request=None):
    row = locked(key_tag.resident.survivor, by)
    key_tag = KeyTag.objects.select_for_update().get(pk=key_tag.pk)
    if key_tag.until:
        raise Conflict(_("This tag has ended already."), code="ended")
    key_tag.until = past_day(until, "until")
    with violations.told(KeyTag):
        key_tag.save(update_fields=["until"])
    audit.record(Act.CHANGE, by=by, request=request, resident=row, obj=key_tag, detail={"fields": ["until"]})
    return key_tag
