"""Saved filters: a way to choose residents, kept under a name (messaging.audiences)."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from messaging import audiences
from messaging.models import SavedFilter


def keep(*, institution, name, criteria, active, by, row=None, request=None):
    """Write a filter, a new one or ``row``; return it. Refused codes: audience, taken; Forbidden outside one's reach."""
    right = "messaging.change_savedfilter" if row else "messaging.add_savedfilter"
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("Your role does not allow this."))
    audiences.resolve({"source": "criteria", **criteria}, institution)
    with transaction.atomic():
        kept = SavedFilter.objects.select_for_update().get(pk=row.pk) if row else SavedFilter(made_by=by)
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
