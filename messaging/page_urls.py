"""Addresses of the pages of the messages outside the station desk."""

from django.urls import path

from messaging.views import calls

urlpatterns = [
    path("calls/", calls.calls, name="calls"),
    path("calls/<uuid:task>/", calls.call, name="call"),
]
