"""The station desk of the messages. One file a noun; each is imported here."""

from messaging.admin import (
    calls,
    campaigns,
    consent,
    filters,
    gateways,
    messages,
    practice,
    quota,
    routes,
    templates,
)

__all__ = [
    "calls",
    "campaigns",
    "consent",
    "filters",
    "gateways",
    "messages",
    "practice",
    "quota",
    "routes",
    "templates",
]
