"""Coming and going: sign in, sign out, and signing in again in place while a note is open."""

from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.http import JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from clinic import audit, identity, payload, registry
from clinic.codes import Act
from clinic.errors import Refused
from clinic.forms.identity import PASSWORD_LENGTH, SignInForm
from clinic.permissions import open_to_all


@open_to_all
@never_cache
@ensure_csrf_cookie
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request):
    """The one door. A failure is written to the audit trail with the account as it was typed."""
    if request.user.is_authenticated and request.method == "GET":
        return redirect("home")
    form = SignInForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if form.is_valid():
            _let_in(request, form.get_user())
            _welcome(request, form.get_user())
            return redirect(identity.next_page(request))
        identity.record_failure(request, request.POST.get("username", ""))
    context = {
        "form": form,
        "next": identity.next_page(request),
        "timed_out": request.session.pop("timed_out", False),
    }
    return render(request, "clinic/sign_in.html", context, status=422 if request.method == "POST" else 200)


@open_to_all
@require_POST
def sign_in_again(request):
    """The dialog over an open note: JSON in, the new CSRF token and who it is out. Counts like the door."""
    try:
        body = payload.read(request)
        username, password = (_short_text(body, name) for name in ("username", "password"))
    except Refused as refusal:
        return JsonResponse(refusal.as_dict(), status=refusal.status)
    user = authenticate(request, username=username, password=password)
    if user is None:
        identity.record_failure(request, username)
        message = _("Account or password is not right.")
        return JsonResponse({"error": "password", "message": message}, status=403)
    _let_in(request, user)
    return JsonResponse(
        {"csrf": get_token(request), "user": str(user.uuid), "duty": identity.duty(request) or ""}
    )


@open_to_all
@require_POST
def sign_out(request):
    """Leave. The drafts in this browser stay: they are encrypted and their owner may want them back."""
    if request.user.is_authenticated:
        audit.record(Act.SIGN_OUT, request=request)
    logout(request)
    response = redirect("sign-in")
    response["Clear-Site-Data"] = '"cache"'
    return response


def _let_in(request, user):
    request.session.pop("timed_out", None)
    login(request, user)
    audit.record(Act.SIGN_IN, by=user, request=request)


def _welcome(request, user):
    for sentence, address in registry.welcome(user):
        messages.info(
            request, format_html('{} <a class="alert-link" href="{}">{}</a>', sentence, address, _("Open"))
        )


def _short_text(body, name):
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= PASSWORD_LENGTH + 22:
        raise Refused(_("Please type account and password."), code="form")
    return value
