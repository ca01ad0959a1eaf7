"""How pages of the record answer a refusal: scripts get JSON, people a sentence on the page they came from."""

from functools import wraps

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic import refusals
from clinic.errors import Refused


def for_script(*perms, failed=None):
    """A page that our scripts call: refusals as JSON, and 401 instead of the way to the sign-in page, so
    that the script keeps the text and asks for the password in place.

    ``failed(request, status, code, **the address's parts)`` is told of what was refused or broke, once the failed
    transaction is gone (emr.actions.faults).
    """

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
                if failed:
                    failed(request, refusal.status, refusal.code, **kwargs)
                return JsonResponse(refusal.as_dict(), status=refusal.status)
            except ObjectDoesNotExist as error:
                raise Http404 from error
            except Exception as error:
                if failed and not isinstance(error, (Http404, PermissionDenied)):
                    failed(request, 500, type(error).__name__.lower(), **kwargs)
                raise

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
