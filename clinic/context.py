"""What the shell around every page needs."""

from clinic import registry


def shell(request):
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"navigation": [item for item in registry.navigation if user.has_perms(item.permissions)]}
