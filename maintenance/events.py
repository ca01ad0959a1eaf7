"""The story of a ticket: one row for each thing that happened to it, written with it."""

from django.utils import timezone

from maintenance.models import TicketEvent


def tell(ticket, kind, *, by=None, words="", key=None, at=None, **facts) -> TicketEvent:
    """Write one down; ``facts`` are plain JSON."""
    return TicketEvent.objects.create(
        ticket=ticket, kind=kind, by=by, words=words, key=key, at=at or timezone.now(), facts=facts
    )
