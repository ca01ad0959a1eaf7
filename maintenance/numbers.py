"""Numbers of tickets: year and serial, "2026-000731"."""

from maintenance.models import TicketCounter


def take(year: int) -> str:
    """The next number. Inside the caller's transaction, as its last lock."""
    TicketCounter.objects.get_or_create(year=year)
    counter = TicketCounter.objects.select_for_update().get(year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return f"{year}-{counter.last:06d}"
