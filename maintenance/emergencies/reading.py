"""Which plans hold for whom, when they were rehearsed last, and when the next drill is due."""

from maintenance.models import Drill, EmergencyPlan, PaperPad


def plans_of(user, today) -> list:
    """The plans in use of one's institution, of those above it and of those below it, each with ``steps_told``, ``last`` (the
    last drill that one sees) and ``overdue``. Three queries."""
    plans = list(
        EmergencyPlan.objects.visible_to(user)
        .filter(active=True)
        .select_related("institution")
        .prefetch_related("steps")
    )
    last = {}
    for one in (
        Drill.objects.visible_to(user)
        .filter(plan__in=plans)
        .select_related("institution")
        .order_by("on", "pk")
    ):
        last[one.plan_id] = one
    for plan in plans:
        plan.last = last.get(plan.pk)
        plan.overdue = plan.last is None or plan.last.next_due < today
    return plans


def pads_of(user):
    return PaperPad.objects.visible_to(user).select_related("institution", "printed_by")


def numbers(pad) -> list[str]:
    """What stands on the sheets: the institution's code and a serial, "S0101-000123"."""
    return [f"{pad.institution.code}-{number:06d}" for number in range(pad.first, pad.first + pad.sheets)]
