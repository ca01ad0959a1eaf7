"""The station desk of maintenance, one file a noun."""

from maintenance.admin import backups, contract, emergencies, promises, things

__all__ = ["backups", "contract", "emergencies", "promises", "things"]
