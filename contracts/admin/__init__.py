"""The desk's tables of family-doctor signing."""

from contracts.admin import agreements, batches, packages, practice, reminders, switches, teams, texts

__all__ = ["agreements", "batches", "packages", "practice", "reminders", "switches", "teams", "texts"]
