"""Equipment as pages show it: with its line's state, its age, what is wanted of it, whether a fault is open."""

from datetime import timedelta

from django.utils import timezone

from clinic.models import Institution
from maintenance.codes import OPEN, EquipmentKind
from maintenance.models import Equipment, LinkHour, LinkState, Ticket
from maintenance.things import wants

HOURS = timedelta(hours=72)
# {what is asked for: whether a row is such a one}
SHOWS = {
    "down": lambda row: row.state is not None and not row.state.ok,
    "narrow": lambda row: row.narrow,
    "due": lambda row: row.due,
    "warranty": lambda row: row.out,
}


def places(user):
    return Institution.objects.under(user.institution).active()


def rows(user, asked) -> list[Equipment]:
    """``asked``: place (public id), kind, show of SHOWS, as plain values; odd ones are as if not asked. Four queries."""
    kind, place, show, today = asked.get("kind"), asked.get("place"), asked.get("show"), timezone.localdate()
    found = (
        Equipment.objects.visible_to(user)
        .select_related("institution")
        .order_by("institution__path", "kind", "name")
    )
    if kind in EquipmentKind.values:
        found = found.filter(kind=kind)
    if place and place in {str(one) for one in places(user).values_list("uuid", flat=True)}:
        found = found.filter(institution__uuid=place)
    found = list(found)
    states = {one.equipment_id: one for one in LinkState.objects.filter(equipment__in=found)}
    faults = set(
        Ticket.objects.filter(equipment__in=found, state__in=OPEN).values_list("equipment_id", flat=True)
    )
    for row in found:
        row.state, row.has_fault = states.get(row.pk), row.pk in faults
        row.narrow, row.age, row.due = wants.narrow(row), wants.age(row, today), wants.is_due(row, today)
        row.out = row.warranty_until is not None and row.warranty_until < today
    return [row for row in found if SHOWS[show](row)] if show in SHOWS else found


def state_of(thing) -> LinkState | None:
    return LinkState.objects.filter(equipment=thing).first()


def hours_of(thing, now) -> list[dict]:
    """{"hour", "probes", "failed", "mean" (µs or None)} of the last three days, the oldest first."""
    found = LinkHour.objects.filter(equipment=thing, hour__gte=now - HOURS).order_by("hour")
    return [
        {"hour": timezone.localtime(one.hour).strftime("%m-%d %H:00"), "probes": one.probes, "failed": one.failed,
         "mean": one.total // (one.probes - one.failed) if one.probes > one.failed else None}
        for one in found
    ]  # fmt: skip
