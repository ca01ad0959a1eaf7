"""The station desk of the messages. One file a noun; each is imported here."""

from messaging.admin import calls, consent, gateways, messages, quota, routes

__all__ = ["calls", "consent", "gateways", "messages", "quota", "routes"]
