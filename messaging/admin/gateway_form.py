"""The form of a gateway: the secret is written and never shown, the options are those of its protocol."""

import json
import re

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import DeskForm
from clinic.errors import Refused
from messaging import gateway_options, secrets
from messaging.models import Gateway

FRONT = "option_"
JSON_KINDS = ("codes", "stats", "verdicts", "map")
SEALED = re.compile(re.escape(secrets.SEALED) + r"\S+")


def hide_secrets(text):
    """An encrypted value shows neither itself nor its length."""
    return SEALED.sub("••••••", text)


def option_names(protocol):
    return [f"{FRONT}{option.name}" for option in gateway_options.KNOWN[protocol]]


def form_for(gateway):
    """The form of this gateway's protocol; a new gateway has no options yet."""
    if gateway is None:
        return OptionsForm
    options = gateway_options.KNOWN[gateway.protocol]
    return type(
        "GatewayForm", (OptionsForm,), {f"{FRONT}{one.name}": _field(one, gateway) for one in options}
    )


class OptionsForm(DeskForm):
    new_secret = forms.CharField(
        label=gettext_lazy("secret"),
        required=False,
        max_length=120,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password", "size": 30}, render_value=False),
    )

    class Meta:
        model = Gateway
        fields = [
            "name", "protocol", "carrier", "host", "port", "login", "access_number", "connections", "window", "rate",
            "connect_seconds", "answer_seconds", "idle_seconds", "report_hours", "active",
        ]  # fmt: skip
        widgets = {"host": forms.TextInput({"size": 30})}
        help_texts = {
            "host": gettext_lazy("An address, or a name; only in networks on the list of allowed addresses."),
            "active": gettext_lazy("Test the connection first."),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept = dict(self.instance.options or {})
        stored = self.instance.secret
        # Neither the form nor what it writes back knows the secret.
        hint = _("Now: %(where)s. Leave it empty to keep it; env:SMS_NAME reads it from the environment.")
        self.fields["new_secret"].help_text = hint % {"where": secrets.where(stored)}

    def options(self):
        """What the desk wrote, by the options' own names; and those it cannot write, as they are."""
        return {
            name.removeprefix(FRONT): value
            for name, value in self.cleaned_data.items()
            if name.startswith(FRONT) and value not in (None, "")
        }

    def clean(self):
        """Each option's own sentence at its own field."""
        cleaned = super().clean()
        for name in [name for name in self.fields if name.startswith(FRONT)]:
            plain = name.removeprefix(FRONT)
            if name in cleaned and cleaned[name] not in (None, ""):
                try:
                    gateway_options.clean(self.instance.protocol, {plain: cleaned[name]})
                except Refused as refusal:
                    self.add_error(name, refusal.message)
        return cleaned


def _field(option, gateway):
    given = (gateway.options or {}).get(option.name)
    shared = {"label": option.name, "help_text": option.help, "required": False}
    if option.kind == "secret":
        widget = forms.PasswordInput({"autocomplete": "new-password"}, render_value=False)
        return forms.CharField(widget=widget, max_length=120, strip=False, **shared)
    if option.kind == "bool":
        choices = [
            ("", gettext_lazy("as usual")),
            ("true", gettext_lazy("yes")),
            ("false", gettext_lazy("no")),
        ]
        initial = {True: "true", False: "false"}.get(given, "")
        return forms.ChoiceField(choices=choices, initial=initial, **shared)
    if option.kind == "choice":
        choices = [("", gettext_lazy("as usual")), *((name, name) for name in option.choices)]
        return forms.ChoiceField(choices=choices, initial=given or "", **shared)
    if option.kind in JSON_KINDS:
        initial = json.dumps(given, ensure_ascii=False) if given else ""
        widget = forms.Textarea({"rows": 2, "cols": 60})
        return forms.CharField(widget=widget, initial=initial, max_length=gateway_options.LONGEST, **shared)
    if option.kind == "networks":
        given = ", ".join(given or [])
    return forms.CharField(initial="" if given is None else given, max_length=400, **shared)
