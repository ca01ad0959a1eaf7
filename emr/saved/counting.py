"""How many saves came through in a time, how many failed, how many visits began: for whoever watches the house (clinic.registry)."""

from django.db.models import Count, Q
from django.db.models.functions import TruncHour

from emr.models import Encounter, Save, SaveFault


def of_time(since, until) -> dict[str, int]:
    """{"saves", "saves_failed"} of [since, until). Two queries."""
    return {
        "saves": Save.objects.filter(saved_at__gte=since, saved_at__lt=until).count(),
        "saves_failed": SaveFault.objects.filter(at__gte=since, at__lt=until).count(),
    }


def visits_by_hour(since, until, paths) -> dict:
    """{hour: visits that came in it} of the institutions and all below them. One query."""
    here = Q()
    for path in paths:
        here |= Q(institution__path__startswith=path)
    rows = (
        Encounter.objects.filter(here, arrived_at__gte=since, arrived_at__lt=until)
        if paths
        else Encounter.objects.none()
    )
    return dict(rows.order_by().values_list(TruncHour("arrived_at")).annotate(n=Count("pk")))
