"""Messages to the staff: alarms of what runs the house. No consent is asked for; a telephone that refused messages gets none."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic import audit
from clinic.codes import Act
from messaging import consent, practice, texts
from messaging.actions import messages
from messaging.codes import Left
from messaging.models import Message


def tell(*, phone, whose, words, key, institution, urgent=False, reason="", now=None):
    """Queue ``words`` for a telephone of the staff in the institution's name and allowance, by the system itself; the same key
    returns the first one. ``whose``: the institution that the person belongs to.

    Refused codes: those of ``Left`` that concern a telephone, quota, reason.
    """
    now = now or timezone.now()
    messages.check_urgent(urgent, reason)
    if found := Message.objects.filter(uuid=key).first():
        return found
    phone = messages.phone_of(phone)
    if consent.refused_phones([phone]):
        raise messages.left_out(Left.OPTED_OUT)
    # Braces would be holes of a template.
    plain = words.replace("{", "(").replace("}", ")")
    whole = texts.render(plain, practice.of(institution).signature, {})
    try:
        with transaction.atomic():
            batch = messages.standing(institution, urgent, now)
            made = messages.queued(batch, key, None, whose, phone, whole, None, now)
            audit.record(Act.SEND, obj=made, detail={"to": "staff"}, reason=reason if urgent else "")
            return made
    except IntegrityError:  # the same key at the same moment
        if found := Message.objects.filter(uuid=key).first():
            return found
        raise
