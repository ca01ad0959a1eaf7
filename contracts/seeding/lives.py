"""What becomes of people's agreements, as often as it does in a district: the stories that ``bulk`` writes."""

from dataclasses import dataclass
from datetime import date, timedelta

from contracts.codes import AgreementState, EndReason, Way
from contracts.terms import last_day

S = AgreementState


@dataclass(frozen=True)
class Part:
    """One agreement of a year. ``ended_on`` is its last day where it is over."""

    state: str
    start: date
    end: date
    ended_on: date | None = None
    reason: str = ""
    way: str = Way.IN_PERSON
    follows: bool = False


def lives(rng, today) -> list[Part]:
    """One or two agreements of one person, the earlier one first."""
    # In force today: begun on any day of the last year.
    start = today - timedelta(days=rng.randrange(364))
    fate = rng.random()
    if fate < 0.62:
        return [_part(S.SIGNED, start)]
    if fate < 0.80:
        old = _year_before(start)
        return [_part(S.RENEWED, old, over=True), _part(S.SIGNED, start, follows=True)]
    if fate < 0.88:
        return [_part(S.EXPIRED, _year_before(start), over=True)]
    if fate < 0.92:
        return [
            _ended(
                S.TERMINATED,
                start,
                today,
                rng.choice((EndReason.MOVED, EndReason.LOST, EndReason.OWN_WISH)),
                rng,
            )
        ]
    if fate < 0.95:
        old = _ended(S.SWITCHED, start, today, EndReason.SWITCHED, rng)
        return [old, _part(S.SIGNED, old.ended_on + timedelta(days=1), follows=True)]
    if fate < 0.97:
        return [_part(S.DEEMED, start, way=Way.HANDBOOK)]
    return [_part(S.PENDING, today)]


def _part(state, start, *, over=False, way=Way.IN_PERSON, follows=False):
    end = last_day(start, 1)
    return Part(state, start, end, end if over else None, way=way, follows=follows)


def _year_before(start):
    """The first day of the year that ended the day before ``start``; 29 February too."""
    first = date(start.year - 1, start.month, min(start.day, 28))
    while last_day(first, 1) < start - timedelta(days=1):
        first += timedelta(days=1)
    return first


def _ended(state, start, today, reason, rng):
    end = last_day(start, 1)
    days = max((min(today, end) - start).days - 1, 0)
    return Part(state, start, end, start + timedelta(days=rng.randint(0, days)), reason)
