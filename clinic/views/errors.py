"""Pages for what went wrong, without a word of what was asked."""

import logging
import sys

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.forms.identity import SignInForm
from clinic.wire import wants_json

log = logging.getLogger("sheyi.request")


def _answer(request, status, message):
    if wants_json(request):
        return JsonResponse({"error": str(status), "message": message}, status=status)
    return render(request, "clinic/refused.html", {"message": message, "status": status}, status=status)


def bad_request(request, exception=None):
    if isinstance(exception, RequestDataTooBig):
        return _answer(request, 413, _("That is too much to send at once (5 MB at most)."))
    return _answer(request, 400, _("The request could not be read."))


def forbidden(request, exception=None):
    return _answer(request, 403, _("Your role does not allow this."))


def not_found(request, exception=None):
    return _answer(request, 404, _("There is nothing here, or it is not yours to see."))


def server_error(request):
    """A page that asks nothing of anybody: the database may be what failed."""
    if not hasattr(request, "failure"):
        tell(request, sys.exc_info()[1])
    if wants_json(request):
        message = _("Something failed on our side. What you typed is kept in this browser.")
        return JsonResponse({"error": "500", "message": message}, status=500)
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def tell(request, failure):
    """One line for a failure in a view or, where no view was reached, in the middleware."""
    request.failure = type(failure)
    log.error("failed", exc_info=failure, extra={"facts": {"path": request.path}})


def wrong_way(request):
    return _answer(request, 405, _("This address is for a button, not for opening."))


def csrf_failure(request, reason=""):
    if request.path == reverse("sign-in"):
        # Somebody signed in from another window meanwhile: the door again, with a fresh token.
        context = {"form": SignInForm(request), "stale": True}
        return render(request, "clinic/sign_in.html", context, status=403)
    return _answer(request, 403, _("The page is out of date. Please load it again; what you typed is kept."))
