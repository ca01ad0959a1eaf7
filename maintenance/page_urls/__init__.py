"""Pages of maintenance, one file a noun."""

from django.urls import include, path

urlpatterns = [
    path("", include("maintenance.page_urls.tickets")),
    path("", include("maintenance.page_urls.contract")),
    path("", include("maintenance.page_urls.reports")),
    path("", include("maintenance.page_urls.upgrades")),
    path("", include("maintenance.page_urls.emergencies")),
    path("", include("maintenance.page_urls.things")),
    path("", include("maintenance.page_urls.training")),
]
