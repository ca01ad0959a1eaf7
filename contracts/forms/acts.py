"""Small forms of the agreement's page: what one act asks for."""

import uuid

from django import forms
from django.utils.translation import gettext_lazy

from contracts.codes import EndReason, WhyNot
from contracts.models import Team, TeamMember

# Teams of the whole district that somebody may change to; a longer list helps nobody.
MOST = 400
# Nothing is chosen for anybody: one click must not end an agreement for the first reason of the list.
NOTHING = ("", "—")


class RefuseForm(forms.Form):
    why = forms.ChoiceField(label=gettext_lazy("why not signed"), choices=[NOTHING, *WhyNot.choices])
    note = forms.CharField(label=gettext_lazy("remark"), max_length=200, required=False)


class NoteForm(forms.Form):
    note = forms.CharField(label=gettext_lazy("remark"), max_length=200, required=False)


class EndForm(forms.Form):
    reason = forms.ChoiceField(
        label=gettext_lazy("reason"),
        choices=[NOTHING, *(choice for choice in EndReason.choices if choice[0] != EndReason.SWITCHED)],
    )
    note = forms.CharField(label=gettext_lazy("reason in words"), max_length=200, required=False)


class RenewForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    years = forms.TypedChoiceField(label=gettext_lazy("years"), choices=[(1, 1), (2, 2), (3, 3)], coerce=int)
    read = forms.BooleanField(label=gettext_lazy("read, understood and agreed to"))


class SwitchForm(forms.Form):
    """Teams that may be chosen, each with its family doctors: one choice for both."""

    to = forms.ChoiceField(label=gettext_lazy("to team"))
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=200)

    def __init__(self, *args, user, agreement, **kwargs):
        super().__init__(*args, **kwargs)
        teams = Team.objects.active().exclude(pk=agreement.team_id)
        root = user.institution.path.split("/")[1]
        members = (
            TeamMember.objects.on()
            .family_doctors()
            .filter(team__in=teams, person__is_active=True, team__institution__path__startswith=f"/{root}/")
        )
        members = members.select_related("team__institution", "person").order_by(
            "team__institution__path", "team__name", "role"
        )
        self.members = {f"{one.team.uuid} {one.person.uuid}": one for one in members[:MOST]}
        self.fields["to"].choices = [NOTHING] + [
            (key, f"{one.team.institution} · {one.team} · {one.person.name}")
            for key, one in self.members.items()
        ]


class DecideForm(forms.Form):
    switch = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(label=gettext_lazy("reason of the decision"), max_length=200, required=False)
