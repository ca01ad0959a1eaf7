from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    name = "clinic"
    verbose_name = _("Clinics, staff and residents")


class StationDeskConfig(AdminConfig):
    """Django admin with the house's own site."""

    default_site = "clinic.site.SheyiAdminSite"
