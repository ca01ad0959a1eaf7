"""Accounts of staff: opened without a role, kept up to date. Roles, lock-outs and passwords of others are
the security administrator's (clinic.actions.staff)."""

import secrets
import string

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from clinic.models import User

# Without signs that are mistaken for another on paper.
LETTERS = "".join(sign for sign in string.ascii_letters if sign not in "IlOo")
DIGITS = "23456789"
SIGNS = "-+=#"


def new_password() -> str:
    """Twelve signs of all four classes."""
    signs = [secrets.choice(kind) for kind in (LETTERS.lower(), LETTERS.upper(), DIGITS, SIGNS)]
    signs += [secrets.choice(LETTERS + DIGITS) for _number in range(8)]
    secrets.SystemRandom().shuffle(signs)
    return "".join(signs)


@transaction.atomic
def open_account(*, user, by, request=None) -> tuple[User, str]:
    """Save a new account that may do nothing until a role is granted; return it with its first password."""
    check_reach(user, by)
    password = new_password()
    user.role = ""
    user.must_change_password = True
    user.set_password(password)
    user.save(force_insert=True)
    audit.record(Act.CREATE, by=by, request=request, obj=user)
    return user, password


@transaction.atomic
def keep_account(*, user, changed, by, request=None):
    """Save the ``changed`` fields of an account. Rights and passwords are not among them."""
    check_reach(user, by)
    if set(changed) & {"role", "password", "must_change_password"}:
        raise Forbidden(_("Roles and passwords are the security administrator's."))
    if "is_active" in changed and user.pk == by.pk:
        raise Refused(_("Nobody closes the account they are signed in with."), field="is_active")
    if changed:
        User.objects.select_for_update().get(pk=user.pk)
        user.save(update_fields=list(changed))
        audit.record(Act.CHANGE, by=by, request=request, obj=user, detail={"fields": sorted(changed)})
    return user


def check_reach(user, by):
    if user.institution_id is None or not user.institution.path.startswith(by.institution.path):
        raise Refused(_("The institution is not within your reach."), field="institution")
