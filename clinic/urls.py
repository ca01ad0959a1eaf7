"""Page addresses. Apps are named as strings; nothing here imports them."""

from django.contrib import admin
from django.urls import include, path

from clinic.views import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("clinic.page_urls")),
    path("", include("emr.urls")),
    path("", include("contracts.page_urls")),
    path("", include("maintenance.page_urls")),
    path("", include("messaging.page_urls")),
    path("", include("messaging.urls")),
]

handler400 = "clinic.views.errors.bad_request"
handler403 = "clinic.views.errors.forbidden"
handler404 = "clinic.views.errors.not_found"
handler500 = "clinic.views.errors.server_error"
