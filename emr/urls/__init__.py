"""Addresses of the record, one file per noun."""

from emr.urls import after_visit, charting, corrections, papers, referrals, saves, templates

urlpatterns = [
    *charting.urlpatterns,
    *after_visit.urlpatterns,
    *corrections.urlpatterns,
    *papers.urlpatterns,
    *referrals.urlpatterns,
    *saves.urlpatterns,
    *templates.urlpatterns,
]
