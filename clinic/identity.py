"""Signing in: what a session still owes before it may work."""

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _


def duty(request) -> str | None:
    """The URL name of the page that must come first, or None."""
    user = request.user
    if not user.is_authenticated:
        return None
    if user.must_change_password or password_expired(user):
        return "change-password"
    return None


def password_expired(user) -> bool:
    changed = user.password_changed_at
    return changed is not None and (timezone.now() - changed).days >= settings.PASSWORD_DAYS


def open_paths():
    """Pages that a session with an unfinished duty may reach."""
    return {reverse(name) for name in ("sign-in", "sign-out", "change-password", "healthz", "readyz")}


def locked_out(request, *args, **kwargs):
    return HttpResponse(_("Too many tries. Please wait a quarter of an hour."), status=429)
