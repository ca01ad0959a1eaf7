"""Making an agreement at the desk: find the resident (never in the address), then one form."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, refusals, search
from clinic.codes import Act
from clinic.errors import Refused
from clinic.models import Resident
from contracts.actions import agreements
from contracts.codes import Way
from contracts.forms.desk_sign import STATES, SignForm
from contracts.models import Agreement

FOUND = 10


class AgreementSigning:
    """Mixed into AgreementAdmin."""

    def signing_urls(self):
        return [self.own_page("add/people/", self.people, "people")]

    def people(self, request):
        """Residents that the text finds, as links to the form."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        text = request.POST.get("q", "")
        hits = search.find(text, request.user) if search.is_long_enough(text) else []
        people = [hit.resident for hit in hits if not hit.foreign][:FOUND]
        alive = Agreement.objects.in_force().filter(resident__in=people).select_related("team")
        teams = {one.resident_id: one for one in alive}
        context = {
            "people": [(person, teams.get(person.pk)) for person in people],
            "asked": bool(text.strip()), "foreign": any(hit.foreign for hit in hits),
        }  # fmt: skip
        return render(request, "admin/contracts/_people.html", context)

    def add_view(self, request, form_url="", extra_context=None):
        """``?resident=``: a public id; without it the page asks for one."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        key = request.GET.get("resident") or request.POST.get("resident")
        if not key:
            return self._sign_page(request, None, None)
        resident = self._resident(request, key)
        if request.method != "POST":
            audit.record(Act.VIEW, request=request, resident=resident, obj=resident, detail={"page": "sign"})
            return self._sign_page(
                request, resident, SignForm(initial=_begin(resident), by=request.user, resident=resident)
            )
        form = SignForm(request.POST, request.FILES, by=request.user, resident=resident)
        if "look" in request.POST:  # another team or day was chosen: nothing is said to be wrong yet
            shown = SignForm(initial=_typed(request.POST), by=request.user, resident=resident)
            return self._sign_page(request, resident, shown)
        state = request.POST.get("state")
        if state not in STATES:
            raise Http404
        if form.is_valid() and (made := self._make(request, form, state)):
            messages.success(request, _("The agreement %(number)s is made.") % {"number": made.number})
            return HttpResponseRedirect(self.address_of(made))
        return self._sign_page(request, resident, form, 400)

    def _make(self, request, form, state):
        try:
            return agreements.make(**form.terms(state), by=request.user, request=request)
        except Refused as refusal:
            if refusal.status != 400:
                refusals.tell(request, refusal)
            field = refusal.facts.get("field")
            field = {"representative_relation": "relation"}.get(field, field)
            form.add_error(field if field in form.fields else None, refusal.message)
            return None

    def _resident(self, request, key):
        try:
            found = get_object_or_404(
                Resident.objects.visible_to(request.user).select_related("home", "merged_into__home"),
                uuid=uuid.UUID(key),
            )
        except ValueError as error:
            raise Http404 from error
        return found.survivor

    def _sign_page(self, request, resident, form, status=200):
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "resident": resident, "form": form,
            "title": _("New agreement: %(name)s") % {"name": resident.name} if resident else _("New agreement"),
            "standing": resident and Agreement.objects.of_resident(resident).alive().select_related("team", "institution").first(),
        }  # fmt: skip
        return TemplateResponse(request, "admin/contracts/agreement_add.html", context, status=status)


def _begin(resident):
    return {
        "key": uuid.uuid4(), "start": timezone.localdate(), "years": 1, "way": Way.IN_PERSON, "phone": resident.phone,
        "address": resident.address, "signer": resident.name,
    }  # fmt: skip


def _typed(post):
    """What stands in the boxes, as a beginning."""
    return {name: post.getlist(name) if name == "versions" else post[name] for name in post}
