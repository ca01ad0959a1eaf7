"""The station desk of maintenance, one file a noun."""

from maintenance.admin import promises

__all__ = ["promises"]
