"""The one admin of the house, behind our own sign-in."""

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseForbidden
from django.utils.translation import gettext_lazy as _


class SheyiAdminSite(AdminSite):
    site_header = _("Sheyi station desk")
    site_title = _("Sheyi")
    index_title = _("Station desk")
    site_url = None

    def login(self, request, extra_context=None):
        """One door for all: the house's sign-in page with its lock-out and duties."""
        if request.user.is_authenticated:
            return HttpResponseForbidden(_("This account does not work at the station desk."))
        return redirect_to_login(request.get_full_path())
