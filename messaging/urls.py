"""Addresses that other systems call."""

from django.urls import path

from messaging.views import hook

urlpatterns = [
    path("hooks/sms/<uuid:gateway>/", hook.receipts, name="sms-hook"),
]
