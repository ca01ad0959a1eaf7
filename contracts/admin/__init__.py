"""The desk's tables of family-doctor signing."""

from contracts.admin import agreements, batches, reminders, switches

__all__ = ["agreements", "batches", "reminders", "switches"]
