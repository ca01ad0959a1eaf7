"""The station desk of maintenance, one file a noun."""

from maintenance.admin import backups, contract, emergencies, promises, things, training

__all__ = ["backups", "contract", "emergencies", "promises", "things", "training"]
