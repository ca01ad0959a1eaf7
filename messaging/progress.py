"""How far campaigns are: sums of ``Tally``, exact in the transaction that reads them. Messages are never counted.

Only row numbers and counts leave the database; who may see a campaign is asked where it is fetched.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from clinic.models import Institution
from messaging.codes import CampaignKind, CampaignState, Carrier, MessageState, Reason
from messaging.models import Gateway, Tally

WAITING = (MessageState.QUEUED, MessageState.CLAIMED)
LOST = (MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN)
DECIDED = (MessageState.DELIVERED, *LOST)
# What no call, no route and no receipt has to be waited for any more.
FINAL = (MessageState.DELIVERED, MessageState.FAILED, MessageState.CANCELLED)


@dataclass(frozen=True)
class Progress:
    """``messages`` and ``segments`` by state, ``reasons`` by (state, reason); all of them counts.

    ``expected``: how many were made, as the campaign's own row says; None where nobody counted (single messages, an
    audience that is still being built).
    """

    messages: Counter
    segments: Counter
    reasons: Counter
    expected: int | None = None

    @property
    def created(self) -> int:
        return sum(self.messages.values())

    @property
    def balanced(self) -> bool:
        """Created = the sum over all states."""
        return self.expected is None or self.expected == self.created

    @property
    def waiting(self) -> int:
        return sum(self.messages[state] for state in WAITING)

    @property
    def under_way(self) -> int:
        return self.messages[MessageState.SUBMITTED]

    @property
    def delivered(self) -> int:
        return self.messages[MessageState.DELIVERED]

    @property
    def lost(self) -> int:
        return sum(self.messages[state] for state in LOST)

    @property
    def percent_sent(self) -> int:
        """Of all that shall be sent; whole percents, and 100 only when nothing waits."""
        whole = self.created - self.messages[MessageState.CANCELLED]
        return (whole - self.waiting) * 100 // whole if whole else 0

    @property
    def rate(self) -> int | None:
        return percent(self.delivered, self.delivered + self.lost)

    @property
    def by_state(self) -> list[tuple[MessageState, int, int]]:
        """(state, messages, segments) of every state, in the order a message goes through them."""
        return [(state, self.messages[state], self.segments[state]) for state in MessageState]

    @property
    def by_reason(self) -> list[tuple[MessageState, str, int]]:
        """(state, reason in words, messages) of what did not arrive, the most frequent first."""
        lost = [
            (MessageState(state), Reason(reason).label if reason else "", count)
            for (state, reason), count in self.reasons.items()
            if count and state in (*LOST, MessageState.CANCELLED)
        ]
        return sorted(lost, key=lambda line: -line[2])


@dataclass
class Rate:
    """What became of the messages of one carrier, gateway, institution or hour."""

    label: str
    delivered: int = 0
    lost: int = 0
    under_way: int = 0
    waiting: int = 0
    cancelled: int = 0

    def add(self, state, count):
        if state == MessageState.DELIVERED:
            self.delivered += count
        elif state in LOST:
            self.lost += count
        elif state == MessageState.SUBMITTED:
            self.under_way += count
        elif state == MessageState.CANCELLED:
            self.cancelled += count
        else:
            self.waiting += count

    @property
    def decided(self) -> int:
        return self.delivered + self.lost

    @property
    def percent(self) -> int | None:
        return percent(self.delivered, self.decided)


@dataclass
class Breakdown:
    carriers: list[Rate] = field(default_factory=list)
    gateways: list[Rate] = field(default_factory=list)
    places: list[Rate] = field(default_factory=list)
    hours: list[tuple[datetime, Rate]] = field(default_factory=list)


def percent(part, whole) -> int | None:
    """Whole percents; 100 only when all, 0 only when none. None of nothing."""
    if not whole:
        return None
    exact = part * 100 / whole
    return min(99, max(1, round(exact))) if 0 < part < whole else round(exact)


def of(campaign) -> Progress:
    """One query."""
    return of_all([campaign])[campaign.pk]


def of_all(campaigns) -> dict[int, Progress]:
    """One query for any number of campaigns, by their row numbers."""
    rows = (
        Tally.objects.filter(campaign__in=[campaign.pk for campaign in campaigns])
        .values_list("campaign", "state", "reason")
        .annotate(n=Sum("messages"), s=Sum("segments"))
        .order_by()
    )
    found = defaultdict(lambda: (Counter(), Counter(), Counter()))
    for campaign, state, reason, count, segments in rows:
        messages, parts, reasons = found[campaign]
        messages[state] += count
        parts[state] += segments
        reasons[state, reason] += count
    return {campaign.pk: Progress(*found[campaign.pk], _expected(campaign)) for campaign in campaigns}


def _expected(campaign):
    unfinished = campaign.state in (CampaignState.DRAFT, CampaignState.BUILDING)
    if campaign.kind == CampaignKind.SINGLES or unfinished or campaign.built_at is None:
        return None
    return campaign.recipients


SPLIT = """
SELECT grouping(carrier, gateway_id, institution_id, hour), carrier, gateway_id, institution_id, hour, state,
    sum(messages)::bigint
FROM messaging_tally WHERE campaign_id = ANY(%s) AND hour >= %s AND hour < %s
GROUP BY GROUPING SETS ((carrier, state), (gateway_id, state), (institution_id, state), (hour, state))
HAVING sum(messages) <> 0
"""
BY_CARRIER, BY_GATEWAY, BY_PLACE, BY_HOUR = 0b0111, 0b1011, 0b1101, 0b1110


def breakdown(campaigns, place=None, since=datetime.min, until=datetime.max) -> Breakdown:
    """Rates by carrier, gateway, home institution and hour of the outcome: the tallies are read once, and two small
    queries name the rows. ``place``: institution → whom its figures count for (default itself); ``since`` and
    ``until``: of messages that came to their present state in these hours."""
    split = _split([[campaign.pk for campaign in campaigns], since, until])
    gateways = Gateway.objects.in_bulk([key for key in split[BY_GATEWAY] if key])
    places = Institution.objects.select_related("parent").in_bulk(list(split[BY_PLACE]))
    carriers = dict(Carrier.choices)
    made = Breakdown(
        carriers=_named(split[BY_CARRIER], lambda key: (list(carriers).index(key), carriers[key])),
        gateways=_named(split[BY_GATEWAY], lambda key: _gateway(gateways, key)),
        places=_named(split[BY_PLACE], lambda key: _place(places[key], place)),
    )
    for hour in sorted(split[BY_HOUR]):
        rate = Rate("")
        for state, count in split[BY_HOUR][hour].items():
            rate.add(state, count)
        if rate.decided:
            made.hours.append((hour, rate))
    return made


def _split(choice):
    """{BY_…: {key: {state: messages}}}"""
    split = {kind: defaultdict(Counter) for kind in (BY_CARRIER, BY_GATEWAY, BY_PLACE, BY_HOUR)}
    with connection.cursor() as cursor:
        cursor.execute(SPLIT, choice)
        for kind, carrier, gateway, institution, hour, state, count in cursor.fetchall():
            key = {BY_CARRIER: carrier, BY_GATEWAY: gateway, BY_PLACE: institution, BY_HOUR: hour}[kind]
            split[kind][key][state] += count
    return split


def _named(counts, name):
    """Rates of what was given to a carrier, in the order of their names. ``name`` maps a key to (order, label); what has one label is one line."""
    made = {}
    for key, states in counts.items():
        order, label = name(key)
        rate = made.setdefault((order, label), Rate(label))
        for state, count in states.items():
            rate.add(state, count)
    lines = [made[key] for key in sorted(made, key=lambda key: (key[0], str(key[1])))]
    return [rate for rate in lines if rate.decided or rate.under_way]


def _gateway(gateways, key):
    row = gateways.get(key)
    return (0, row.name) if row else (1, _("through no gateway yet"))


def _place(row, place):
    row = place(row) if place else row
    return row.path, row.short_name
