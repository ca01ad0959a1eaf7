"""Signing in: what a session still owes before it may work, and who is kept out for a while."""

from urllib.parse import urlsplit

from axes.utils import reset
from django.conf import settings
from django.contrib.auth import authenticate, update_session_auth_hash
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp import user_has_device

from clinic import audit
from clinic.address import client_address
from clinic.codes import Act
from clinic.models import User
from clinic.wire import wants_json

# In the session: the role for which nothing is owed any more. Another role asks anew.
FACTOR_CHECKED = "factor_checked"


def duty(request) -> str | None:
    """The URL name of the page that must come first, or None.

    Asks the database for a second factor only once a session; the answer stays in it.
    """
    user = request.user
    if not user.is_authenticated:
        return None
    if user.must_change_password or password_expired(user):
        return "change-password"
    if request.session.get(FACTOR_CHECKED) == user.role:
        return None
    if user_has_device(user):
        return None if factor_shown(user) else "second-factor"
    if user.role in settings.TOTP_REQUIRED_ROLES:
        return "set-up-factor"
    request.session[FACTOR_CHECKED] = user.role
    return None


def factor_shown(user) -> bool:
    """Whether this session has shown its second factor. Who signed in within this request has not: django-otp
    marks the user at the request's beginning only."""
    shown = getattr(user, "is_verified", None)
    return shown is not None and shown()


def password_expired(user) -> bool:
    changed = user.password_changed_at
    return changed is not None and (timezone.now() - changed).days >= settings.PASSWORD_DAYS


DUTY_PAGES = (
    "sign-in", "sign-out", "sign-in-again", "change-password", "second-factor", "set-up-factor", "set_language",
    "healthz", "readyz",
)  # fmt: skip


def open_paths():
    """Pages that a session with an unfinished duty may reach."""
    return {reverse(name) for name in DUTY_PAGES}


def locked_out(request, *args, **kwargs):
    """Axes' answer to a name and address with too many failures."""
    message = _(
        "Too many wrong passwords. Please wait %(minutes)d minutes, or ask the security administrator."
    ) % {"minutes": -(-int(settings.AXES_COOLOFF_TIME.total_seconds()) // 60)}
    if wants_json(request):
        return JsonResponse({"error": "locked", "message": message}, status=429)
    return render(request, "clinic/refused.html", {"message": message, "status": 429}, status=429)


def stay_signed_in(request, user):
    """Keep this session after a password change; the others have ended."""
    update_session_auth_hash(request, user)
    request.user = user


def is_own_password(request, password) -> bool:
    """Ask again who is there. Counts towards the lock-out: an unlocked screen is no place for guessing."""
    name = request.user.username
    if authenticate(request, username=name, password=password) is None:
        record_failure(request, name)
        return False
    reset(username=name, ip=client_address(request))
    return True


def record_failure(request, username):
    """A failed sign-in in the trail. Known accounts stand with their institution, for its auditors."""
    known = User.objects.select_related("institution").filter(username=username[:150]).first()
    return audit.record(
        Act.SIGN_IN_FAILED,
        by=known,
        request=request,
        reason="" if known else "unknown account",
        detail={"account": username[:150]},
    )


def next_page(request) -> str:
    """Where to go after signing in: a path of our own, never another host, never with a query."""
    try:
        wanted = urlsplit(request.POST.get("next") or request.GET.get("next") or "")
    except ValueError:
        return reverse("home")
    if wanted.scheme or wanted.netloc or not wanted.path.startswith("/") or wanted.path.startswith("//"):
        return reverse("home")
    return wanted.path
