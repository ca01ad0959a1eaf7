"""Pictures of the screen that hang on a ticket, and who of the vendor may look at them. Locks: ticket."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, pictures
from clinic.codes import Act, Role
from clinic.errors import Conflict, Forbidden, Refused
from maintenance.codes import EventKind
from maintenance.events import tell
from maintenance.models import Attachment, PictureGrant, Ticket

MOST, BYTES, SIDE = 5, 5_000_000, 2560
LONGEST_REASON, LONGEST_HOURS = 200, 72


def attach(*, ticket, by, key, data, name="", request=None) -> Attachment:
    """Keep a picture, decoded and written anew; the same ``key`` keeps it once. Refused codes: picture, many."""
    picture = pictures.photo(data, most=BYTES, side=SIDE, quality=85)
    with transaction.atomic():
        row = Ticket.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=ticket.pk).first()
        if row is None:
            raise Forbidden(_("This ticket is not yours."), code="elsewhere")
        if known := Attachment.objects.filter(uuid=key).first():
            if known.ticket_id != row.pk:
                raise Conflict(_("This key belongs to something else."), code="key")
            return known
        if Attachment.objects.filter(ticket=row).count() >= MOST:
            raise Refused(
                _("A ticket has at most %(n)d pictures.") % {"n": MOST}, code="many", field="picture"
            )
        made = Attachment.objects.create(
            uuid=key, ticket=row, name=f"{row.number}.jpg", mime=picture.mime, size=len(picture.data),
            sha256=picture.sha256, data=picture.data, made_by=by,
        )  # fmt: skip
        tell(row, EventKind.ATTACHED, by=by)
        return made


def allow(*, ticket, by, reason, hours, now=None, request=None) -> PictureGrant:
    """Leave for the vendor's engineers to see this ticket's pictures for so many hours; audited. Refused codes: reason, hours."""
    if not by.has_perm("maintenance.add_picturegrant"):
        raise Forbidden(_("Your role does not allow this."))
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise Refused(_("Please give a short reason."), code="reason", field="reason")
    if not 1 <= hours <= LONGEST_HOURS:
        raise Refused(_("From 1 to %(n)d hours.") % {"n": LONGEST_HOURS}, code="hours", field="hours")
    if not Ticket.objects.visible_to(by).filter(pk=ticket.pk).exists():
        raise Forbidden(_("This ticket is not yours."), code="elsewhere")
    now = now or timezone.now()
    with transaction.atomic():
        made = PictureGrant.objects.create(
            ticket=ticket, by=by, reason=reason, at=now, until=now + timedelta(hours=hours)
        )
        audit.record(
            Act.GRANT, by=by, request=request, obj=ticket, reason=reason, detail={"pictures_hours": hours}
        )
        return made


def may_see(user, ticket, now=None) -> bool:
    """Whether the pictures of a ticket that this person sees are theirs to look at. The vendor's engineers need leave in
    force, their own pictures excepted."""
    if user.role != Role.VENDOR or ticket.reporter_id == user.pk:
        return True
    return PictureGrant.objects.filter(ticket=ticket, until__gt=now or timezone.now()).exists()


def open_for(*, picture, user, request) -> None:
    """A look of the vendor's at a picture stands in the audit trail. Forbidden without leave."""
    if not may_see(user, picture.ticket):
        raise Forbidden(
            _("Pictures of the screen may show patients: somebody of the district or the centre gives leave.")
        )
    if user.role == Role.VENDOR:
        audit.record(Act.VIEW, request=request, obj=picture)
