"""Signed but not served 签而未约 (rules B4.9): agreements in force without one confirmed service."""

from contracts.models import Agreement


def unserved(agreements):
    """Those of the agreements that nobody has served yet."""
    return agreements.filter(last_served_on=None)


def not_served(user, team=None):
    """Of the user's institution and below it, of one team or of all; the index agreement_served answers per team."""
    rows = unserved(Agreement.objects.in_scope(user).in_force())
    return rows.filter(team=team) if team is not None else rows
