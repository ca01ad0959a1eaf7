"""Pages for what went wrong, without a word of what was asked."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from clinic.wire import wants_json


def _answer(request, status, message):
    if wants_json(request):
        return JsonResponse({"error": str(status), "message": message}, status=status)
    return render(request, "clinic/refused.html", {"message": message, "status": status}, status=status)


def bad_request(request, exception=None):
    return _answer(request, 400, _("The request could not be read."))


def forbidden(request, exception=None):
    return _answer(request, 403, _("Your role does not allow this."))


def not_found(request, exception=None):
    return _answer(request, 404, _("There is nothing here, or it is not yours to see."))


def server_error(request):
    """A page that asks nothing of anybody: the database may be what failed."""
    if wants_json(request):
        message = _("Something failed on our side. What you typed is kept in this browser.")
        return JsonResponse({"error": "500", "message": message}, status=500)
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def csrf_failure(request, reason=""):
    return _answer(request, 403, _("The page is out of date. Please load it again; what you typed is kept."))
