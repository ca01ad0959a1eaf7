"""Equipment and lines on pages: what stands where, how old it is, how the lines answer, what faults it had."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic import audit, spreadsheets
from clinic.codes import Act
from clinic.permissions import needs
from maintenance.codes import EquipmentKind
from maintenance.models import Equipment, Ticket
from maintenance.things import chart, reading, wants

SHOWN, FAULTS = 300, 30


@needs("maintenance.view_equipment")
@require_GET
def equipment(request):
    """``place``: an institution's public id, ``kind`` of EquipmentKind, ``show`` of maintenance.things.reading.SHOWS."""
    rows = reading.rows(request.user, request.GET)
    context = {
        "rows": rows[:SHOWN], "more": len(rows) > SHOWN, "kinds": EquipmentKind.choices, "kind": request.GET.get("kind", ""),
        "show": request.GET.get("show", ""), "place": request.GET.get("place", ""), "today": timezone.localdate(),
        "places": reading.places(request.user),
        "shows": [("down", _("does not answer")), ("narrow", _("too narrow")), ("due", _("to be replaced")), ("warranty", _("out of warranty"))],
    }  # fmt: skip
    return render(request, "maintenance/things/list.html", context)


@needs("maintenance.view_equipment")
@require_GET
def equipment_sheet(request):
    audit.record(Act.EXPORT, request=request, detail={"what": "equipment"})
    headings = [
        _("Institution"), _("Kind"), _("Name"), _("Make and model"), _("Serial number"), _("Bandwidth, Mbit/s"), _("Bought on"),
        _("Warranty until"), _("To be replaced on"), _("Replacement plan"), _("In use"),
    ]  # fmt: skip
    lines = (
        [str(row.institution), row.get_kind_display(), row.name, row.model, row.serial, row.bandwidth or "", row.bought_on or "",
         row.warranty_until or "", row.replace_on or "", row.replacement, _("yes") if row.active else _("no")]
        for row in reading.rows(request.user, request.GET)
    )  # fmt: skip
    return spreadsheets.answer(_("equipment"), "xlsx", headings, lines)


@needs("maintenance.view_equipment")
@require_GET
def thing(request, thing):
    rows = Equipment.objects.visible_to(request.user).select_related("institution")
    row, today = get_object_or_404(rows, uuid=thing), timezone.localdate()
    row.narrow, row.age, row.due = wants.narrow(row), wants.age(row, today), wants.is_due(row, today)
    told = reading.hours_of(row, timezone.now())
    context = {
        "thing": row, "state": reading.state_of(row), "chart": chart.of(told),
        "faults": Ticket.objects.visible_to(request.user).filter(equipment=row).defer("words")[:FAULTS], "today": today,
        "probes": sum(one["probes"] for one in told), "failed": sum(one["failed"] for one in told),
    }  # fmt: skip
    return render(request, "maintenance/things/thing.html", context)
