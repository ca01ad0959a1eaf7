"""Which gateway may take which messages now.

The gateways of a carrier's route are asked in order. One that is not the first takes what all before it cannot take
now (down, throttled, held, switched off, without a living owner), and those messages that all before it have refused.
When one of them is back, it alone takes the new ones again.
"""

from messaging import routing
from messaging.dispatching.database import rows

# A gateway nobody wrote about for the length of a lease and a little more has no living owner.
AVAILABLE = """
SELECT g.id FROM messaging_gateway g JOIN messaging_gatewayhealth h ON h.gateway_id = g.id
WHERE g.active AND h.state IN ('up', 'connecting') AND (h.held_until IS NULL OR h.held_until <= clock_timestamp())
    AND h.seen_at > clock_timestamp() - (%(seconds)s + 2) * interval '1 second'
"""


class Routes:
    """Read anew every second; in between as it was."""

    def __init__(self):
        self.table: dict[str, list[int]] = {}
        self.available: frozenset[int] = frozenset()

    @staticmethod
    def read(lease_seconds):
        """(table, available), in a thread."""
        table = {str(carrier): route for carrier, route in routing.table().items()}
        return table, frozenset(key for (key,) in rows(AVAILABLE, {"seconds": lease_seconds}))

    def set(self, table, available):
        self.table, self.available = table, available

    def way_left(self, carrier, refused_by) -> bool:
        """Whether a gateway of the carrier's route has not refused. Without any route: it waits for one."""
        route = self.table.get(carrier, ())
        return not route or not set(route) <= set(refused_by)

    def before(self, gateway, carrier) -> list[int]:
        """The available gateways that come before this one."""
        route = self.table[carrier]
        return [one for one in route[: route.index(gateway)] if one in self.available]

    def queues(self, gateway, work) -> list[list[tuple[int, str]]]:
        """(campaign, carrier) queues this gateway serves now: urgent ones, then the others."""
        mine = [
            one for one, route in self.table.items() if gateway in route and not self.before(gateway, one)
        ]
        return [
            [(campaign, carrier) for carrier in mine for campaign in some.get(carrier, ())]
            for some in (work.urgent, work.ordinary)
        ]

    def turned_away(self, gateway, work) -> list[tuple[str, list[int]]]:
        """(carrier, the gateways before) where something was refused by these and is this one's."""
        found = []
        for carrier in work.turned_away:
            if gateway in self.table.get(carrier, ()) and (before := self.before(gateway, carrier)):
                found.append((carrier, before))
        return found
