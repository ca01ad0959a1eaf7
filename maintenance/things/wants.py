"""What a line should carry, and what is to be replaced."""

from clinic.codes import InstitutionKind
from maintenance.codes import EquipmentKind

# Mbit/s: the core, a centre, a station.
BANDWIDTH = {InstitutionKind.DISTRICT: 10_000, InstitutionKind.CENTRE: 1_000, InstitutionKind.STATION: 100}


def narrow(thing) -> int | None:
    """The bandwidth that the line of such a place should have, where it has less; else None."""
    wanted = BANDWIDTH.get(thing.institution.kind)
    if (
        thing.kind != EquipmentKind.LINE
        or wanted is None
        or thing.bandwidth is None
        or thing.bandwidth >= wanted
    ):
        return None
    return wanted


def age(thing, today) -> int | None:
    """In years."""
    return (today - thing.bought_on).days // 365 if thing.bought_on else None


def is_due(thing, today) -> bool:
    """Its day to be replaced has come."""
    return thing.replace_on is not None and thing.replace_on <= today
