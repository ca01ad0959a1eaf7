"""The desk's side of the record, one file per noun."""

from emr.admin import change_requests, notes, papers, practice, referrals, templates, terms, visits

__all__ = ["change_requests", "notes", "papers", "practice", "referrals", "templates", "terms", "visits"]
