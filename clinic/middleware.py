"""What happens to every request: its log line, the idle clock, clean input, duties, and the trail of refusals."""

import logging
import time
import uuid
from urllib.parse import unquote_plus, unquote_to_bytes

from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic import audit, identity, metering, readiness, text
from clinic.codes import Act
from clinic.logs import request_id
from clinic.views import errors, health
from clinic.wire import wants_json

log = logging.getLogger("sheyi.request")


class RequestLog:
    """One line a request: method, path, status, time. Never the query string, which may name a patient."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        began = time.perf_counter()
        request.id = uuid.uuid4().hex
        token = request_id.set(request.id)
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request.id
            took = (time.perf_counter() - began) * 1000
            metering.meter.add(response.status_code, took, timezone.now())
            facts = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round(took, 1),
            }
            log.info("request", extra={"facts": facts})
            return response
        finally:
            request_id.reset(token)

    def process_exception(self, request, exception):
        """A view failed. Refusals, which Django answers with 4xx, are no failures."""
        if not isinstance(exception, (Http404, PermissionDenied, SuspiciousOperation, BadRequest)):
            errors.tell(request, exception)


class NoBlankPages:
    """A page asked for in a way it does not know gets a sentence; Django answers with an empty page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 405 and not response.content:
            answer = errors.wrong_way(request)
            answer["Allow"] = response["Allow"]
            return answer
        return response


class Probes:
    """Answers the probes before sessions and sign-in, which ask the database: liveness must not, and
    readiness must say 503 while it is away. Only a troubled house goes on to the view, which tells who may know."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path == "/healthz":
            return health.healthz(request)
        if request.path == "/readyz":
            request.problems = readiness.problems()
            if not readiness.may_explain(request.problems):
                return health.answer(request.problems)
        return self.get_response(request)


class CleanSession:
    """A session cookie that no door of ours gave out (a quoted cookie can spell NUL) counts as none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if not text.is_storable(request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")):
            del request.COOKIES[settings.SESSION_COOKIE_NAME]
        return self.get_response(request)


class ChosenLanguage:
    """Chinese, unless this browser's person chose otherwise. What the browser itself prefers does not count:
    old terminals were set up in whatever language their installer spoke."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        request.LANGUAGE_CODE = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(request.LANGUAGE_CODE):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response


class IdleClock:
    """Signs out who did nothing for the idle time. Polling (header X-Poll) does not count as doing.

    The clock is written at most once a minute, so that a save costs no second write.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.user.is_authenticated:
            now = int(time.time())
            last = request.session.get("active_at", now)
            if now - last > settings.IDLE_SECONDS:
                audit.record(Act.SIGN_OUT, request=request, reason="idle")
                logout(request)
                request.session["timed_out"] = True
            elif "X-Poll" not in request.headers and (
                "active_at" not in request.session or now - last >= settings.IDLE_WRITE_SECONDS
            ):
                request.session["active_at"] = now
        return self.get_response(request)


class SignInDuties:
    """A first-login or expired password, or a missing second factor, comes before everything else."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        duty = identity.duty(request)
        if (
            duty is None
            or request.path in identity.open_paths()
            or request.path.startswith(settings.STATIC_URL)
        ):
            return self.get_response(request)
        if wants_json(request):
            return JsonResponse(
                {"error": "duty", "message": str(_("Please finish signing in first."))}, status=403
            )
        return redirect(reverse(duty))


class CleanInput:
    """NUL and lone surrogates cannot be stored: refused with a sentence before any view sees them."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if self._dirty(request):
            message = str(_("The text holds a character that cannot be stored (NUL or half a character)."))
            if wants_json(request):
                return JsonResponse({"error": "unstorable", "message": message}, status=400)
            return render(request, "clinic/refused.html", {"message": message}, status=400)
        return self.get_response(request)

    def _dirty(self, request):
        if not text.is_storable(unquote_plus(request.META.get("QUERY_STRING", ""), errors="surrogatepass")):
            return True
        if not text.is_storable(request.path):
            return True
        if request.method not in {"POST", "PUT", "PATCH"}:
            return False
        if request.content_type == "application/json":
            return False  # clinic.payload reads and checks bodies of JSON
        if request.content_type == "application/x-www-form-urlencoded" and not _is_utf8(request.body):
            return True
        return any(
            not text.is_storable(value)
            for name in request.POST
            for value in [name, *request.POST.getlist(name)]
        )


def _is_utf8(form):
    """Django would put question marks in place of what it cannot read, and nobody would know."""
    try:
        unquote_to_bytes(form).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class PatientPages:
    """Nothing of a signed-in person's pages stays in a shared computer's cache."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response


class DeniedTrail:
    """A refused request stands in the audit trail, written after the view's transaction is gone."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 403 and request.user.is_authenticated:
            audit.record(Act.DENIED, request=request, detail={"path": request.path, "method": request.method})
        return response
