"""Passwords: hashing that old servers can afford, and the rules for new ones (rules B7.1)."""

import re

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


class Argon2Light(Argon2PasswordHasher):
    """OWASP's second profile: 19 MiB, two passes, one lane. Django's default takes 190 ms of CPU and
    100 MB a check, and signing asks for the password each time."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


class CharacterClasses:
    """At least three of: lower case, upper case, digits, other signs."""

    classes = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")

    def validate(self, password, user=None):
        if sum(bool(re.search(kind, password)) for kind in self.classes) < 3:
            raise ValidationError(self.get_help_text(), code="password_classes")

    def get_help_text(self):
        return _("Use at least three of: small letters, capital letters, digits, other signs.")


class NotUsedBefore:
    """Not one of the last few passwords of this account."""

    def validate(self, password, user=None):
        if user is None or user.pk is None:
            return
        earlier = user.password_records.values_list("password", flat=True)[: settings.PASSWORD_HISTORY]
        if any(check_password(password, used) for used in [user.password, *earlier] if used):
            raise ValidationError(self.get_help_text(), code="password_used")

    def get_help_text(self):
        return _("Not one of the last %(n)d passwords.") % {"n": settings.PASSWORD_HISTORY}
