"""One's own account: the password, and the second factor."""

import segno
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login

from clinic import audit, identity
from clinic.actions import staff
from clinic.codes import Act
from clinic.errors import Refused
from clinic.forms.identity import CodeForm, PasswordForm
from clinic.permissions import signed_in


@signed_in
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def change_password(request):
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        old, new = form.cleaned_data["old"], form.cleaned_data["new"]
        if not identity.is_own_password(request, old):
            form.add_error("old", _("The present password is not right."))
        elif _changed(request, form, old, new):
            return redirect("home")
    context = {"form": form, "expired": identity.duty(request) == "change-password"}
    return render(request, "clinic/change_password.html", context, status=422 if form.errors else 200)


def _changed(request, form, old, new):
    """Change it and stay signed in, or put the sentence at its field."""
    try:
        user = staff.change_password(user=request.user, old=old, new=new, request=request)
    except Refused as refusal:
        form.add_error(refusal.facts.get("field"), refusal.message)
        return False
    identity.stay_signed_in(request, user)
    messages.success(request, _("The password is changed."))
    return True


@signed_in
@require_http_methods(["GET", "POST"])
def second_factor(request):
    """Asked once a session from whoever has set one up. Wrong codes are throttled by the device itself."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if device := staff.fitting_second_factor(user=request.user, digits=form.cleaned_data["code"]):
            _passed(request, device)
            return redirect("home")
        audit.record(Act.SIGN_IN_FAILED, request=request, reason="second factor")
        form.add_error("code", _("The digits are not right. Wait for the next ones and try again."))
    return render(request, "clinic/second_factor.html", {"form": form}, status=422 if form.errors else 200)


@signed_in
@require_http_methods(["GET", "POST"])
def set_up_factor(request):
    """Show the code to scan, and believe it once the phone's first digits fit."""
    if request.user.totpdevice_set.filter(confirmed=True).exists():
        messages.info(request, _("A second factor is set up already."))
        return redirect("home")
    device = staff.new_second_factor(user=request.user)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if staff.confirm_second_factor(device=device, digits=form.cleaned_data["code"], request=request):
            _passed(request, device)
            messages.success(request, _("The second factor is set up."))
            return redirect("home")
        audit.record(Act.SIGN_IN_FAILED, request=request, reason="second factor")
        form.add_error("code", _("The digits are not right. Wait for the next ones and try again."))
    context = {
        "form": form,
        "image": segno.make(device.config_url, error="m").svg_data_uri(scale=5),
        "secret": device.config_url.split("secret=")[1].split("&")[0],
    }
    return render(request, "clinic/set_up_factor.html", context, status=422 if form.errors else 200)


def _passed(request, device):
    otp_login(request, device)
    request.session[identity.FACTOR_CHECKED] = request.user.role
    request.session.cycle_key()
