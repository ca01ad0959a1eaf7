"""Vital signs that a nurse takes, before or during the visit, into the same draft."""

from django.utils.translation import gettext as _

from clinic.errors import Conflict
from emr.actions import drafts
from emr.models import Encounter


def record_vitals(*, encounter, key, version, vitals, by):
    """Save the vital signs of an open visit, as one save of its draft; return the Save.

    ``vitals`` is the whole set: {name: text as typed}. Raises as save_draft does.
    """
    if not Encounter.objects.in_scope(by).open().filter(uuid=encounter).exists():
        raise Conflict(_("This visit is over."), code="state")
    return drafts.save_draft(
        encounter=encounter, key=key, version=version, changes={"vitals": vitals}, by=by, fields=("vitals",)
    )
