"""How pages of the record answer a refusal: scripts get JSON, people a sentence on the page they came from."""

from functools import wraps

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic import refusals
from clinic.errors import Refused


def for_script(*perms):
    """A page that our scripts call: refusals as JSON, and 401 instead of the way to the sign-in page, so
    that the script keeps the text and asks for the password in place."""

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return JsonResponse(
                    {"error": "signed-out", "message": _("You were signed out. What you typed is kept.")},
                    status=401,
                )
            if not request.user.has_perms(perms):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except Refused as refusal:
                return JsonResponse(refusal.as_dict(), status=refusal.status)
            except ObjectDoesNotExist as error:
                raise Http404 from error

        checked.needs = perms
        return checked

    return decorate


def back_to(place):
    """A button's page: what an action refuses is told on the page ``place``."""

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            try:
                return view(request, *args, **kwargs)
            except Refused as refusal:
                refusals.tell(request, refusal)
                return redirect(place)

        return checked

    return decorate
