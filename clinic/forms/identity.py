"""Forms of signing in and of one's own account."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PASSWORD_LENGTH = 128


class SignInForm(AuthenticationForm):
    """Account and password. One sentence for a wrong account, a wrong password and a closed account:
    nobody learns which accounts exist."""

    error_messages = {
        "invalid_login": gettext_lazy("Account or password is not right."),
        "inactive": gettext_lazy("Account or password is not right."),
    }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = gettext_lazy("account")
        # Django sets max_length on the finished fields, which checks nothing.
        self.fields["username"].validators.append(MaxLengthValidator(150))
        self.fields["password"].validators.append(MaxLengthValidator(PASSWORD_LENGTH))
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-control form-control-lg"


class PasswordForm(forms.Form):
    """The present password and the new one, twice."""

    old = forms.CharField(label=gettext_lazy("present password"), strip=False, max_length=PASSWORD_LENGTH)
    new = forms.CharField(label=gettext_lazy("new password"), strip=False, max_length=PASSWORD_LENGTH)
    again = forms.CharField(label=gettext_lazy("new password again"), strip=False, max_length=PASSWORD_LENGTH)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            kind = "current-password" if name == "old" else "new-password"
            field.widget = forms.PasswordInput(attrs={"class": "form-control", "autocomplete": kind})
        self.fields["old"].widget.attrs["autofocus"] = True

    def clean(self):
        data = super().clean()
        if data.get("new") and data.get("again") and data["new"] != data["again"]:
            raise ValidationError({"again": _("The two new passwords differ.")})
        return data

    @property
    def rules(self):
        """What a new password has to be, in one list for the page."""
        return [
            _("At least 8 characters."),
            _("Use at least three of: small letters, capital letters, digits, other signs."),
            _("Not one of the last %(n)d passwords.") % {"n": settings.PASSWORD_HISTORY},
        ]


class CodeForm(forms.Form):
    """The six digits that the phone or token shows now."""

    code = forms.RegexField(
        r"^[0-9]{6}\Z",
        label=gettext_lazy("six digits"),
        error_messages={"invalid": gettext_lazy("Please type the six digits shown now.")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs.update(
            {
                "class": "form-control form-control-lg",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "autofocus": True,
            }
        )
