"""Texts with variables, written once."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.text import is_storable
from messaging import texts
from messaging.models import SmsTemplate


def keep(*, institution, name, purpose, body, by, active=True, row=None, request=None):
    """Write a template, a new one or ``row``; return it. Refused codes: text, name, taken; Forbidden outside one's reach."""
    right = "messaging.change_smstemplate" if row else "messaging.add_smstemplate"
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("Your role does not allow this."))
    texts.check(body, purpose)
    if not name.strip() or len(name) > 60 or not is_storable(name):
        raise Refused(_("Please give a name of at most 60 characters."), code="name", field="name")
    with transaction.atomic():
        kept = (
            SmsTemplate.objects.select_for_update(of=("self",)).select_related("institution").get(pk=row.pk)
            if row
            else SmsTemplate(made_by=by)
        )
        # What came down from above is used here and changed there.
        if row and not kept.institution.path.startswith(by.institution.path):
            raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
        kept.institution, kept.name, kept.purpose = institution, name.strip(), purpose
        kept.body, kept.active = body, active
        try:
            with transaction.atomic():
                kept.save()
        except IntegrityError as error:
            raise Refused(
                _("This institution has a template of this name."), code="taken", field="name"
            ) from error
        audit.record(Act.CHANGE if row else Act.CREATE, by=by, request=request, obj=kept)
    return kept
