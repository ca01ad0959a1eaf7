"""What who is not signed in gets instead of a page: the way to the door, or a word that a script understands."""

from urllib.parse import urlencode, urlsplit

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from clinic.wire import wants_json


def show_the_door(request):
    """A redirect for a page; 401 for scripts, which keep what was typed. For htmx the 401 names the door, since
    a followed redirect would put the sign-in page into a corner of the page."""
    if wants_json(request):
        message = _("You were signed out. What you typed is kept.")
        return JsonResponse({"error": "signed-out", "message": message}, status=401)
    if "HX-Request" in request.headers:
        door = _door(path_of(request.headers.get("HX-Current-URL", "")))
        return HttpResponse(_("You were signed out."), status=401, headers={"X-Sign-In": door})
    return redirect(_door(request.path if request.method in {"GET", "HEAD"} else ""))


def path_of(address) -> str:
    """The path of an address that a browser named, or nothing where it is none."""
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _door(path):
    """The sign-in page, with the path to come back to: never a query, which may hold a patient's name."""
    door = reverse("sign-in")
    return f"{door}?{urlencode({'next': path}, safe='/')}" if path.startswith("/") else door
