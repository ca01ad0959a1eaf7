"""Reading a JSON body from our own pages: an object, storable text, finite numbers; else a sentence."""

import json

from django.http.request import RawPostDataException
from django.utils.translation import gettext as _

from clinic import text
from clinic.errors import Refused

DEPTH = 20


def read(request) -> dict:
    """The body as a dict. Raises Refused (400) with a sentence for anything else."""
    try:
        body = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError, RawPostDataException) as error:  # the last: a form was sent instead
        raise Refused(_("The request is no readable JSON."), code="json") from error
    if not isinstance(body, dict) or _deeper_than(body, DEPTH):
        raise Refused(_("The request does not have the expected form."), code="form")
    if bad := text.find_unstorable(body):
        raise Refused(
            _("The text holds a character that cannot be stored (NUL or half a character)."),
            code="unstorable",
            where=bad,
        )
    return body


def _no_constant(name):
    raise ValueError(name)


def _deeper_than(value, depth):
    if isinstance(value, dict):
        return depth == 0 or any(_deeper_than(child, depth - 1) for child in value.values())
    if isinstance(value, list):
        return depth == 0 or any(_deeper_than(child, depth - 1) for child in value)
    return isinstance(value, float) and value in (float("inf"), float("-inf"))
