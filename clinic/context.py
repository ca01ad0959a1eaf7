"""What the shell around every page needs."""

from django.urls import reverse
from django.utils import timezone

from clinic import page_notices, registry


def shell(request):
    """The lines of the header that this person's role has a use for."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "page_notices": page_notices.for_user(user, timezone.now()),
        "navigation": [
            {"address": reverse(item.url_name), "label": item.label, "here": _here(item, request.path)}
            for item in registry.navigation
            if user.has_perms(item.permissions) and (not item.roles or user.role in item.roles)
        ],
    }


def _here(item, path):
    return path == reverse(item.url_name) or bool(item.pages and path.startswith(item.pages))
