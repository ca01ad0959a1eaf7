"""Addresses of the pages of the messages outside the station desk."""

from django.urls import path

from messaging.views import calls, consent

urlpatterns = [
    path("calls/", calls.calls, name="calls"),
    path("residents/<uuid:resident>/consent", consent.consent_set, name="consent-set"),
    path("calls/<uuid:task>/", calls.call, name="call"),
]
