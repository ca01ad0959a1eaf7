"""The desk's side of the record, one file per noun."""

from emr.admin import papers, terms, visits

__all__ = ["papers", "terms", "visits"]
