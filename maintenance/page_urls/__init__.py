"""Pages of maintenance, one file a noun."""

from django.urls import include, path

urlpatterns = [
    path("tickets/", include("maintenance.page_urls.tickets")),
    path("contract/", include("maintenance.page_urls.contract")),
    path("emergency/", include("maintenance.page_urls.emergencies")),
    path("equipment/", include("maintenance.page_urls.things")),
    path("upgrades/", include("maintenance.page_urls.upgrades")),
    path("", include("maintenance.page_urls.reports")),
    path("", include("maintenance.page_urls.training")),
]
