"""Addresses of saves, the inquiry after a lost record, and the page's own faults."""

from django.urls import path

from emr.views import faults, inquiry, saves

urlpatterns = [
    path("saves", saves.saves, name="saves"),
    path("saves/<uuid:save>", saves.save, name="save"),
    path("saves/<uuid:save>/proof", saves.proof, name="save-proof"),
    path("saves/<uuid:save>/restore", saves.restore, name="restore-save"),
    path("inquiry", inquiry.search, name="inquiry-search"),
    path("visits/<uuid:encounter>/inquiry", inquiry.inquiry, name="inquiry"),
    path("visits/<uuid:encounter>/inquiry/minute", inquiry.minute, name="inquiry-minute"),
    path("visits/<uuid:encounter>/faults", faults.report, name="save-faults"),
]
