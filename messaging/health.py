"""How the gateways do, in words: what their dispatchers last wrote, and how old that is."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.codes import GatewayState
from messaging.models import Gateway, GatewayHealth

# A dispatcher writes at least once in the length of its lease; after three it says nothing any more.
SILENT_LEASES = 3


@dataclass(frozen=True)
class Health:
    """``state``: a GatewayState, or "silent" where no dispatcher has said anything lately; ``label``: in words;
    ``age``: seconds since it was written, None where nothing ever was."""

    state: str
    label: str
    age: int | None
    row: GatewayHealth | None

    @property
    def is_good(self) -> bool:
        return self.state == GatewayState.UP

    @property
    def age_text(self) -> str:
        if self.age is None:
            return _("never")
        if self.age < 120:
            return ngettext("%(n)d second ago", "%(n)d seconds ago", self.age) % {"n": self.age}
        if self.age < 7200:
            return ngettext("%(n)d minute ago", "%(n)d minutes ago", self.age // 60) % {"n": self.age // 60}
        return ngettext("%(n)d hour ago", "%(n)d hours ago", self.age // 3600) % {"n": self.age // 3600}


def of(gateway: Gateway, now: datetime) -> Health:
    """Of a gateway that was fetched with ``select_related("health")``: no query."""
    row = getattr(gateway, "health", None)
    age = max(0, round((now - row.seen_at).total_seconds())) if row and row.seen_at else None
    if not gateway.active:
        state = GatewayState.OFF
    elif age is None or age > settings.SMS_LEASE_SECONDS * SILENT_LEASES:
        return Health("silent", _("no dispatcher has it"), age, row)
    else:
        state = GatewayState(row.state)
    return Health(state, state.label, age, row)
