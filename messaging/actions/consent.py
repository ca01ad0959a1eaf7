"""What residents want: their word on each purpose, and numbers that want no messages at all."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, text
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.models import Resident
from messaging import optout, routing
from messaging.codes import ConsentSource, Purpose
from messaging.models import Consent, OptOut

# Nobody is asked about emergencies.
ASKED = [purpose for purpose in Purpose if purpose != Purpose.EMERGENCY]
BY_PEOPLE = (ConsentSource.DESK, ConsentSource.FORM)
LONGEST = 200


def set_consent(*, resident, purpose, given, source, by, document="", request=None, now=None):
    """Write down a resident's word on one purpose; return the Consent. After a no, what campaigns of this purpose have
    waiting for the resident is cancelled at once. The same word again, said the same way, changes nothing. Refused codes: choice, document; Forbidden outside one's reach."""
    document = _clean(document)
    if purpose not in ASKED or source not in ConsentSource.values or not isinstance(given, bool):
        raise Refused(_("Please choose from what is offered."), code="choice")
    if not by.has_perm("messaging.add_consent"):
        raise Forbidden(_("Your role does not allow this."), code="right")
    with transaction.atomic():
        # One after another: of two clicks the second finds the first's word.
        row = Resident.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=resident.pk).first()
        if row is None:
            raise Forbidden(_("This resident is not within your reach."), code="elsewhere")
        person = row.survivor
        ids, now = list(person.record_ids()), now or timezone.now()
        last = Consent.objects.filter(resident__in=ids, purpose=purpose).order_by("-pk").first()
        if last and (last.given, last.source, last.document) == (given, source, document):
            return last
        made = Consent.objects.create(
            resident=person, purpose=purpose, given=given, source=source, document=document, by=by,
            at=now,
        )  # fmt: skip
        cancelled = 0 if given else optout.cancel_purpose(ids, purpose, now)
        audit.record(
            Act.CONSENT, by=by, request=request, resident=person,
            detail={"purpose": purpose, "given": given, "source": source, **({"cancelled": cancelled} if cancelled else {})},
        )  # fmt: skip
        return made


def opt_out(*, phone, source, document, by, request=None, now=None):
    """Put a number on the list of those that want no messages, with what was said; return the OptOut. What waits for it
    is cancelled at once, in every campaign. Harmless to repeat. Refused codes: phone, document, choice."""
    plain, document, now = routing.normalise(phone), _clean(document), now or timezone.now()
    if not by.has_perm("messaging.add_optout"):
        raise Forbidden(_("Your role does not allow this."), code="right")
    if plain is None:
        raise Refused(_("This is no mobile number."), code="phone", field="phone")
    if source not in BY_PEOPLE:
        raise Refused(_("Please choose from what is offered."), code="choice", field="source")
    if not document:
        raise Refused(_("Please write down what was said or signed."), code="document", field="document")
    with transaction.atomic():
        row, made = OptOut.objects.get_or_create(
            phone=plain,
            ended_at=None,
            defaults={"since": now, "source": source, "by": by, "document": document},
        )
        cancelled = optout.cancel([plain], now)
        if made or cancelled:
            audit.record(
                Act.CONSENT,
                by=by,
                request=request,
                obj=row,
                detail={"what": "opt-out", "cancelled": cancelled},
            )
        return row


def end_opt_out(*, opt_out, document, reason, by, request=None, now=None):
    """The person wants messages again: by their own word, with its proof, and a reason for the trail. Return the
    OptOut. Refused codes: document, reason; one that ended stays as it ended."""
    document, reason = _clean(document), _clean(reason, "reason")
    if not by.has_perm("messaging.change_optout"):
        raise Forbidden(_("Your role does not allow this."), code="right")
    if not document:
        raise Refused(
            _("Only the person's own word ends this: please write down what was said or signed."),
            code="document",
            field="document",
        )
    if not reason:
        raise Refused(_("Please give a reason."), code="reason", field="reason")
    with transaction.atomic():
        row = OptOut.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=opt_out.pk).first()
        if row is None:
            raise Forbidden(_("This number is not within your reach."), code="elsewhere")
        if row.ended_at is None:
            row.ended_at, row.ended_by, row.ended_document = now or timezone.now(), by, document
            row.save(update_fields=["ended_at", "ended_by", "ended_document"])
            audit.record(
                Act.CONSENT, by=by, request=request, obj=row, reason=reason, detail={"what": "opt-out ended"}
            )
        return row


def _clean(typed, field="document"):
    typed = " ".join(str(typed or "").split())
    if len(typed) > LONGEST or not text.is_storable(typed):
        raise Refused(
            _("At most %(count)d characters, please.") % {"count": LONGEST}, code=field, field=field
        )
    return typed
