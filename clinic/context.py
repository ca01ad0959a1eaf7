"""What the shell around every page needs."""

from django.urls import reverse

from clinic import registry


def shell(request):
    """The lines of the header that this person's role has a use for."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "navigation": [
            {"address": reverse(item.url_name), "label": item.label, "here": _here(item, request.path)}
            for item in registry.navigation
            if user.has_perms(item.permissions) and (not item.roles or user.role in item.roles)
        ]
    }


def _here(item, path):
    return path == reverse(item.url_name) or bool(item.pages and path.startswith(item.pages))
