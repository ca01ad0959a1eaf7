"""What the database refuses, said in a sentence: the constraint's own message instead of a server error."""

from contextlib import contextmanager

from django.db import IntegrityError
from django.utils.translation import gettext as _

from clinic.errors import Conflict


@contextmanager
def told(*models):
    """Turn a violated constraint of these models into a Conflict that carries its message.

    Two people may pass every check at once; the database lets one through, the other reads this.
    """
    try:
        yield
    except IntegrityError as error:
        message = _message(models, error)
        if message is None:
            raise
        raise Conflict(message, code="taken") from error


def _message(models, error):
    broken = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    for model in models:
        for constraint in model._meta.constraints:
            if constraint.name == broken:
                return constraint.get_violation_error_message()
        if broken and broken.startswith(f"{model._meta.db_table}_record_number"):
            return _("This health-record number is given already.")
        if broken and broken.startswith(f"{model._meta.db_table}_uuid"):
            return _("This key belongs to something else already. Please open the page anew.")
    return None
