"""How many saves came through in a time and how many failed, for whoever watches the house (clinic.registry)."""

from emr.models import Save, SaveFault


def of_time(since, until) -> dict[str, int]:
    """{"saves", "saves_failed"} of [since, until). Two queries."""
    return {
        "saves": Save.objects.filter(saved_at__gte=since, saved_at__lt=until).count(),
        "saves_failed": SaveFault.objects.filter(at__gte=since, at__lt=until).count(),
    }
