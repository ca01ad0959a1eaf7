"""How severities, states and times of maintenance look on a page."""

from datetime import timedelta
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext as _

from maintenance.codes import BreachState, Business, Module, Severity, TicketState, UpgradeState

register = template.Library()

LOUD = {Severity.CRITICAL: "state-bad", Severity.SERIOUS: "state-wait"}
STATES = {
    TicketState.NEW: "state-wait", TicketState.FIXED: "state-good", TicketState.CONFIRMED: "state-good",
    TicketState.CLOSED: "state-good",
}  # fmt: skip
SOON = timedelta(hours=2)
MINUTE, HOUR, DAY = 60, 3600, 86400


@register.simple_tag
def severity(code):
    return format_html('<span class="state {}">{}</span>', LOUD.get(code, ""), Severity(code).label)


@register.simple_tag
def ticket_state(row):
    waits = f"：{row.get_waiting_for_display()}" if row.waiting_for else ""
    return format_html(
        '<span class="state {}">{}{}</span>', STATES.get(row.state, ""), row.get_state_display(), waits
    )


@register.filter
def span(length):
    """A length of time in its two largest parts: 3 d 4 h, 2 h 5 min."""
    seconds = int(abs(length).total_seconds())
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    if days:
        return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)d min") % {"minutes": minutes}


@register.simple_tag
def time_left(left):
    if left is None:
        return ""
    if left < timedelta(0):
        return format_html('<span class="late">{}</span>', _("over by %(time)s") % {"time": span(left)})
    return format_html('<span class="{}">{}</span>', "soon" if left <= SOON else "", span(left))


@register.simple_tag
def filter_query(kept):
    return urlencode({name: value for name, value in kept.choices.items() if value})


BREACHES = {
    BreachState.OPEN: "state-wait",
    BreachState.OBJECTED: "state-wait",
    BreachState.CONFIRMED: "state-bad",
}


@register.simple_tag
def breach_state(row):
    return format_html(
        '<span class="state {}">{}</span>', BREACHES.get(row.state, ""), row.get_state_display()
    )


@register.filter
def breach_word(code):
    return BreachState(code).label


@register.filter
def moment(text):
    """A stored moment in ISO form as people write it."""
    return timezone.localtime(parse_datetime(text)).strftime("%Y-%m-%d %H:%M") if text else ""


UPGRADES = {
    UpgradeState.ANNOUNCED: "state-wait", UpgradeState.RUNNING: "state-bad", UpgradeState.WATCHING: "state-wait",
    UpgradeState.CLOSED: "state-good", UpgradeState.ROLLED_BACK: "state-bad",
}  # fmt: skip
CODES = {"module": Module, "business": Business}


@register.simple_tag
def upgrade_state(row):
    return format_html(
        '<span class="state {}">{}</span>', UPGRADES.get(row.state, ""), row.get_state_display()
    )


@register.filter
def labels(codes, kind):
    """Stored codes as a person reads them."""
    known = CODES[kind]
    return "、".join(str(known(code).label) for code in codes if code in known.values)
