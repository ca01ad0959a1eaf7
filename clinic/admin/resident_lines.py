"""What hangs on a resident's page: key tags and the household, each line its own small act."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import identifiers, refusals
from clinic.actions import residents as actions
from clinic.codes import HouseholdRelation, KeyPopulation, TagSource
from clinic.errors import Refused
from clinic.models import KeyTag, Resident


class TagForm(forms.Form):
    tag = forms.ChoiceField(label=gettext_lazy("key population"), choices=KeyPopulation.choices)
    source = forms.ChoiceField(
        label=gettext_lazy("source"), choices=TagSource.choices, initial=TagSource.SURVEY
    )
    since = forms.DateField(
        label=gettext_lazy("since"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class HouseholdForm(forms.Form):
    relation = forms.ChoiceField(label=gettext_lazy("relation to head"), choices=HouseholdRelation.choices)
    member = forms.CharField(label=gettext_lazy("member"), max_length=30, required=False)


class ResidentLines:
    """Mixed into ResidentAdmin."""

    def line_urls(self):
        def page(address, view, name):
            return path(
                f"<uuid:uuid>/{address}", self.admin_site.admin_view(view), name=f"clinic_resident_{name}"
            )

        return [
            page("tag/", self.tag, "tag"), page("untag/<uuid:key_tag>/", self.untag, "untag"),
            page("household/", self.join_household, "household"), page("household/leave/", self.leave_household, "leave"),
        ]  # fmt: skip

    def lines_of(self, request, resident):
        """What the page shows below the form."""
        members = []
        if resident.household_id:
            # Somebody of the household may have moved to another institution's care.
            members = (
                Resident.objects.visible_to(request.user).current().filter(household=resident.household_id)
            )
        return {
            "key_tags": resident.key_tags.order_by("until", "tag"),
            "household": resident.household,
            "members": members,
            "household_form": HouseholdForm(),
            "may_change": resident.merged_into_id is None,
        }

    def _mine(self, request, uuid, permission):
        resident = self.fetch(request, str(uuid))
        if request.method != "POST" or not request.user.has_perm(permission):
            raise PermissionDenied
        return resident

    def _done(self, request, page, act, sentence, **arguments):
        """Do it, say so or say why not, and go back to the page."""
        try:
            act(by=request.user, request=request, **arguments)
            messages.success(request, sentence)
        except Refused as refusal:
            refusals.tell(request, refusal)
        return HttpResponseRedirect(self.address_of(page))

    def tag(self, request, uuid):
        resident = self._mine(request, uuid, "clinic.add_keytag")
        form = TagForm(request.POST)
        if not form.is_valid():
            return self._invalid(request, resident, form)
        return self._done(
            request, resident, actions.tag, _("The tag is set."), resident=resident, **form.cleaned_data
        )

    def untag(self, request, uuid, key_tag):
        resident = self._mine(request, uuid, "clinic.change_keytag")
        found = KeyTag.objects.filter(resident=resident, uuid=key_tag).first()
        if found is None:
            raise Http404
        return self._done(request, resident, actions.untag, _("The tag has ended."), key_tag=found)

    def join_household(self, request, uuid):
        """Into the household of a member named by number; without one a new household begins."""
        resident = self._mine(request, uuid, "clinic.change_household")
        form = HouseholdForm(request.POST)
        if not form.is_valid():
            return self._invalid(request, resident, form)
        household = resident.household
        if number := form.cleaned_data["member"]:
            household = self._household_of(request, number)
            if household is None:
                return self._invalid(request, resident, None)
        return self._done(
            request, resident, actions.set_household, _("The household is kept."),
            resident=resident, relation=form.cleaned_data["relation"], household=household,
        )  # fmt: skip

    def leave_household(self, request, uuid):
        resident = self._mine(request, uuid, "clinic.change_household")
        sentence = _("The resident left the household.")
        return self._done(request, resident, actions.leave_household, sentence, resident=resident)

    def _household_of(self, request, number):
        number = identifiers.normalise_id(number)
        named = Q(id_number=number) | Q(record_number=number) | Q(phone=number)
        found = Resident.objects.in_scope(request.user).filter(named, household__isnull=False)
        member = found.select_related("household").order_by("pk").first()
        return member and member.household

    def _invalid(self, request, resident, form):
        sentence = _("Nobody in a household of yours has this ID, record or phone number.")
        if form is not None:
            sentence = " ".join(text for texts in form.errors.values() for text in texts)
        messages.error(request, sentence)
        return HttpResponseRedirect(self.address_of(resident))
