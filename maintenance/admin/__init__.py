"""The station desk of maintenance, one file a noun."""

from maintenance.admin import contract, promises

__all__ = ["contract", "promises"]
