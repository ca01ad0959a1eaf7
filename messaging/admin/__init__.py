"""The station desk of the messages. One file a noun; each is imported here."""

from messaging.admin import calls, messages

__all__ = ["calls", "messages"]
