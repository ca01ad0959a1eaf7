"""Addresses of filings with city insurance."""

from django.urls import path

from emr.views import filings, reconciliation

urlpatterns = [
    path("insurance", filings.filings, name="filings"),
    path("insurance/reconciliation", reconciliation.reconciliation, name="reconciliation"),
    path("insurance/<uuid:filing>", filings.filing, name="filing"),
    path("insurance/<uuid:filing>/ask", filings.ask, name="ask-insurance"),
    path("insurance/<uuid:filing>/cancelled", filings.cancelled, name="filing-cancelled"),
    path("insurance/<uuid:filing>/retry", filings.retry, name="retry-filing"),
    path("insurance/<uuid:filing>/by-hand", filings.by_hand, name="filing-by-hand"),
    path("referrals/<uuid:referral>/filing", filings.state, name="filing-state"),
]
