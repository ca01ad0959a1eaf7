"""The secrets of carrier accounts at rest: encrypted with a key of the installation's secret key, or not here at all but
in the environment (``env:SMS_…``), read at the moment of use.

Nothing in here puts a secret, its ciphertext or a variable's value into an error.
"""

import base64
import os
import re

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.secret import derived
from messaging.gateways.base import GatewayError

# Only variables named for this: an account's secret goes over the wire, and nothing else of the environment may.
VARIABLE = re.compile(r"env:(SMS_[A-Z0-9_]{1,50})", re.ASCII)
SEALED = "enc:"
# What the column holds once it is encrypted; no protocol takes more than 64.
LONGEST = 100


class SecretUnreadable(GatewayError):
    """What is stored was encrypted with another key, or the variable is not set."""


def store(secret: str) -> str:
    """What the column holds for this secret: "" for none, ``env:SMS_…`` as it is, else encrypted. Refused code
    "secret" for one that is too long, and for a variable whose name does not begin with ``SMS_``."""
    if not secret:
        return ""
    if secret.startswith("env:"):
        if not VARIABLE.fullmatch(secret):
            raise Refused(
                _("A variable for a secret is written env:SMS_NAME, in capitals."),
                code="secret",
                field="secret",
            )
        return secret
    if len(secret) > LONGEST or not secret.isprintable():
        raise Refused(
            _("A secret has at most %(count)d characters, all of them visible.") % {"count": LONGEST},
            code="secret",
            field="secret",
        )
    return SEALED + _box().encrypt(secret.encode()).decode("ascii")


def reveal(stored: str) -> str:
    """The secret in clear. Raises SecretUnreadable (code "secret") with a sentence that tells nothing of it."""
    if not stored:
        return ""
    if found := VARIABLE.fullmatch(stored):
        return _of_environment(found[1])
    try:
        return _box().decrypt(stored.removeprefix(SEALED).encode()).decode()
    except (InvalidToken, ValueError):
        # "from None": the ciphertext would stand in the chained error.
        raise SecretUnreadable(
            _("The stored secret cannot be read: the installation's key has changed. Please enter it again."),
            code="secret",
        ) from None


def where(stored: str) -> str:
    """Where the secret is, in words for the desk; never what it is."""
    if not stored:
        return _("none")
    if found := VARIABLE.fullmatch(stored):
        return _("in the environment, %(name)s") % {"name": found[1]}
    return _("kept encrypted")


def _of_environment(name):
    if value := os.environ.get(name):
        return value
    raise SecretUnreadable(
        _("The variable %(name)s is not set in the environment.") % {"name": name}, code="secret"
    )


def _box():
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(derived(settings.SECRET_KEY, "sms-gateway"))))


def opened(options: dict) -> dict:
    """A gateway's options with the secrets among them in clear."""
    return {
        name: reveal(value)
        if isinstance(value, str) and (value.startswith(SEALED) or VARIABLE.fullmatch(value))
        else value
        for name, value in options.items()
    }
