"""The desk's side of the record, one file per noun."""

from emr.admin import terms, visits

__all__ = ["terms", "visits"]
