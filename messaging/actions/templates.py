"""Texts with variables, written once."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from messaging import texts
from messaging.models import SmsTemplate


def keep(*, institution, name, purpose, body, by, active=True, row=None, request=None):
    """Write a template, a new one or ``row``; return it. Refused codes: text, taken; Forbidden outside one's reach."""
    right = "messaging.change_smstemplate" if row else "messaging.add_smstemplate"
    if not by.has_perm(right) or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("Your role does not allow this."))
    texts.check(body, purpose)
    with transaction.atomic():
        kept = SmsTemplate.objects.select_for_update().get(pk=row.pk) if row else SmsTemplate(made_by=by)
        kept.institution, kept.name, kept.purpose = institution, name.strip(), purpose
        kept.body, kept.active = body, active
        try:
            with transaction.atomic():
                kept.save()
        except IntegrityError as error:
            raise Refused(_("This institution has a template of this name."), code="taken", field="name") from error
        audit.record(Act.CHANGE if row else Act.CREATE, by=by, request=request, obj=kept)
    return kept
