"""What the audiences of agreements ask for on the page of a new campaign (messaging.audiences.Source.form)."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.forms.desk_acts import Day
from contracts.models import Team


def first_light():
    """Until then an agreement that ends is a matter of now."""
    return timezone.localdate() + timedelta(days=max(settings.CONTRACTS_LIGHTS))


class TeamForm(forms.Form):
    team = forms.ModelChoiceField(
        label=gettext_lazy("team"), queryset=Team.objects.none(), to_field_name="uuid"
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].queryset = Team.objects.visible_to(user).active().select_related("institution")
        self.fields["team"].label_from_instance = lambda row: f"{row.institution} {row.name}"

    def audience(self) -> dict:
        team = self.cleaned_data["team"]
        return {"team": str(team.uuid)} if team else {}


class UnservedForm(TeamForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["team"].required = False
        self.fields["team"].empty_label = gettext_lazy("all teams")


class EndingForm(UnservedForm):
    first = forms.DateField(label=gettext_lazy("last day from"), widget=Day, initial=timezone.localdate)
    last = forms.DateField(label=gettext_lazy("last day until"), widget=Day, initial=first_light)
    field_order = ["first", "last", "team"]

    def clean(self):
        data = super().clean()
        if data.get("first") and data.get("last") and data["first"] > data["last"]:
            raise forms.ValidationError(_("The end lies before the beginning."))
        return data

    def audience(self) -> dict:
        data = self.cleaned_data
        return {"first": str(data["first"]), "last": str(data["last"]), **super().audience()}
