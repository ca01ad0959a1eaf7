"""The one admin of the house, behind our own sign-in."""

from functools import wraps

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.door import show_the_door
from clinic.permissions import ROLES
from clinic.registry import DeskTile

# What a role does first; other apps add theirs to the registry.
TILES = [
    DeskTile("admin:clinic_resident_add", _("Register a resident"), _("New health record"), ("clinic.add_resident",), 15),
    DeskTile("admin:clinic_resident_changelist", _("Find a resident"), _("By name, pinyin, ID number or phone"), ("clinic.view_resident",), 10),
    DeskTile("admin:clinic_resident_import", _("Import from Excel"), _("With a trial run first"), ("clinic.import_resident", "clinic.add_resident")),
    DeskTile("admin:clinic_user_changelist", _("Staff accounts"), _("New accounts and changes"), ("clinic.add_user",)),
    DeskTile("admin:clinic_user_changelist", _("Roles and lock-outs"), _("Grant a role, unlock an account"), ("clinic.assign_role",)),
    DeskTile("admin:clinic_institution_changelist", _("Institutions"), _("Centres and stations"), ("clinic.change_institution",)),
    DeskTile("admin:clinic_auditentry_changelist", _("Audit trail"), _("Who did what, when and from where"), ("clinic.view_auditentry",)),
]  # fmt: skip


class SheyiAdminSite(AdminSite):
    site_header = _("Sheyi station desk")
    site_title = _("Sheyi")
    index_title = _("Station desk")
    site_url = None
    enable_nav_sidebar = False

    def has_permission(self, request):
        """Who is signed in and does not work at the desk is told so, not asked to sign in again."""
        user = request.user
        if user.is_authenticated and user.is_active and not user.is_staff:
            raise PermissionDenied
        return user.is_active and user.is_authenticated

    def admin_view(self, view, cacheable=False):
        """Django's own way to the door carries the query along, where the search keeps patients' names."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def checked(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return show_the_door(request)
            return inner(request, *args, **kwargs)

        return checked

    def login(self, request, extra_context=None):
        """One door for all: the house's sign-in page with its lock-out and duties."""
        if request.user.is_authenticated and self.has_permission(request):
            return redirect("admin:index")
        return redirect("sign-in")

    def logout(self, request, extra_context=None):
        return HttpResponseRedirect(reverse("sign-out"))

    def password_change(self, request, extra_context=None):
        return redirect("change-password")

    def autocomplete_view(self, request):
        """No field of the desk asks for it, and its answers would name row numbers."""
        raise Http404

    def each_context(self, request):
        """With the role's first things, which also stand in every page's head."""
        user = request.user
        tiles = []
        if user.is_authenticated:
            tiles = [tile for tile in [*TILES, *registry.desk_tiles] if user.has_perms(tile.permissions)]
        return {**super().each_context(request), "tiles": sorted(tiles, key=lambda tile: tile.order)}

    def index(self, request, extra_context=None):
        role = request.user.role
        context = {"role": request.user.get_role_display(), "sentence": ROLES[role].sentence}
        return super().index(request, {**context, **(extra_context or {})})

    def get_urls(self):
        """Without the shortcut that leads from a content type and a row number to a row."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") != "view_on_site"]
