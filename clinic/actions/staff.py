"""Rights and secrets of accounts: the security administrator's acts, and one's own password."""

from axes.utils import reset
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp import devices_for_user
from django_otp.plugins.otp_totp.models import TOTPDevice

from clinic import audit
from clinic.codes import Act, Role
from clinic.errors import Forbidden, Refused
from clinic.models import PasswordRecord, User


@transaction.atomic
def grant_role(*, user, role, by, reason="", request=None):
    """Give an account another role. Never to oneself: rights come from somebody else (rules B7.2)."""
    person = _somebody_else(user, by)
    if role not in Role.values:
        raise Refused(_("Please choose a role."), code="role")
    before, person.role = person.role, role
    person.save(update_fields=["role"])
    audit.record(
        Act.ROLE,
        by=by,
        request=request,
        obj=person,
        reason=reason,
        detail={"before": before, "after": str(role)},
    )
    return person


@transaction.atomic
def unlock(*, user, by, request=None):
    """Let a locked-out account try again at once, from wherever it was locked."""
    person = _somebody_else(user, by)
    reset(username=person.username)
    audit.record(Act.UNLOCK, by=by, request=request, obj=person)
    return person


@transaction.atomic
def set_password(*, user, password, by, request=None):
    """Give another account a first password, to be changed at its next sign-in."""
    person = _somebody_else(user, by)
    _keep(person, password, must_change=True)
    _end_sessions(person)
    audit.record(Act.PASSWORD, by=by, request=request, obj=person, reason="set")
    return person


@transaction.atomic
def change_password(*, user, old, new, request=None):
    """Change one's own password. The other sessions of the account end."""
    person = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not person.check_password(old):
        raise Refused(_("The present password is not right."), code="old", field="old")
    try:
        validate_password(new, person)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), code="new", field="new") from error
    _keep(person, new, must_change=False)
    _end_sessions(person, but=request.session.session_key if request else None)
    audit.record(Act.PASSWORD, by=user, request=request, obj=person, reason="changed")
    return person


def new_second_factor(*, user):
    """The device that a person is setting up; asked again, the same one, so that a reload keeps the code."""
    device, _made = TOTPDevice.objects.get_or_create(
        user=user, confirmed=False, defaults={"name": user.username}
    )
    return device


@transaction.atomic
def confirm_second_factor(*, device, digits, request=None) -> bool:
    """Believe a device once the first digits that it shows fit."""
    if not device.verify_token(digits):
        return False
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    audit.record(
        Act.PASSWORD, by=device.user, request=request, obj=device.user, reason="second factor set up"
    )
    return True


@transaction.atomic
def fitting_second_factor(*, user, digits):
    """The device of this person that shows these digits now, or None. Locked, so that digits count once."""
    devices = devices_for_user(user, for_verify=True)
    return next((device for device in devices if device.verify_token(digits)), None)


@transaction.atomic
def remove_second_factor(*, user, by, request=None):
    """Take away a lost second factor; the person sets up a new one."""
    person = _somebody_else(user, by)
    TOTPDevice.objects.filter(user=person).delete()
    audit.record(Act.PASSWORD, by=by, request=request, obj=person, reason="second factor removed")
    return person


def _somebody_else(user, by):
    if user.pk == by.pk:
        raise Forbidden(_("Nobody grants rights to oneself."), code="own")
    return User.objects.select_for_update(of=("self",)).select_related("institution").get(pk=user.pk)


def _keep(person, password, *, must_change):
    if person.password:
        PasswordRecord.objects.create(user=person, password=person.password)
    person.set_password(password)
    person.must_change_password = must_change
    person.password_changed_at = timezone.now()
    person.save(update_fields=["password", "must_change_password", "password_changed_at"])


def _end_sessions(person, but=None):
    """Sessions hold their person inside their data; a district has some hundred open ones."""
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.session_key != but and session.get_decoded().get("_auth_user_id") == str(person.pk):
            session.delete()
