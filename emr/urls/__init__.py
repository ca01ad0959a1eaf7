"""Addresses of the record, one file per noun."""

from emr.urls import after_visit, charting, corrections, filings, papers, referrals, saves, seals, templates

urlpatterns = [
    *charting.urlpatterns,
    *after_visit.urlpatterns,
    *corrections.urlpatterns,
    *filings.urlpatterns,
    *papers.urlpatterns,
    *referrals.urlpatterns,
    *saves.urlpatterns,
    *seals.urlpatterns,
    *templates.urlpatterns,
]
