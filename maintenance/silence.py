"""Tickets that are fixed and that nobody objected to within the days of the setting are closed, and say so."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from maintenance.actions import tickets
from maintenance.codes import TicketState
from maintenance.models import Ticket

STEP = 500


def close(now=None) -> int:
    """Returns how many were closed. Each in its own transaction."""
    now = now or timezone.now()
    before = now - timedelta(days=settings.MAINTENANCE_SILENCE_DAYS)
    rows = Ticket.objects.filter(state=TicketState.FIXED, state_at__lt=before).order_by("state_at", "pk")
    rows = list(rows[:STEP])
    for row in rows:
        tickets.close_silent(ticket=row, now=now)
    return len(rows)
