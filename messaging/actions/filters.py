"""Saved filters: a way to choose residents, kept under a name (messaging.audiences)."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.text import is_storable
from messaging import audiences
from messaging.models import SavedFilter


def keep(*, institution, name, criteria, active, by, row=None, request=None):
    """Write a filter, a new one or ``row``; return it. Refused codes: audience, name, taken; Forbidden outside one's reach."""
    right = "messaging.change_savedfilter" if row else "messaging.add_savedfilter"
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("Your role does not allow this."))
    audiences.resolve({**criteria, "source": "criteria"}, institution)
    if not name.strip() or len(name) > 60 or not is_storable(name):
        raise Refused(_("Please give a name of at most 60 characters."), code="name", field="name")
    with transaction.atomic():
        kept = (
            SavedFilter.objects.select_for_update(of=("self",)).select_related("institution").get(pk=row.pk)
            if row
            else SavedFilter(made_by=by)
        )
        # What came down from above is used here and changed there.
        if row and not kept.institution.path.startswith(by.institution.path):
            raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
        kept.institution, kept.name, kept.criteria, kept.active = institution, name.strip(), criteria, active
        try:
            with transaction.atomic():
                kept.save()
        except IntegrityError as error:
            raise Refused(
                _("This institution has a filter of this name."), code="taken", field="name"
            ) from error
        audit.record(Act.CHANGE if row else Act.CREATE, by=by, request=request, obj=kept)
    return kept
