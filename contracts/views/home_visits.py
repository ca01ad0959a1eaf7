"""A visit to the resident's home, written down from the resident's page."""

import uuid

from django import forms
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic.errors import Refused
from clinic.models import Resident
from clinic.permissions import needs
from contracts.actions import home_visits as actions
from contracts.forms.desk_acts import Day
from contracts.models import HomeVisit


class HomeVisitForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    on = forms.DateField(label=gettext_lazy("day"), widget=Day)
    did = forms.CharField(
        label=gettext_lazy("what was done"),
        max_length=300,
        widget=forms.Textarea({"rows": 2}),
    )
    found = forms.CharField(
        label=gettext_lazy("what was found"),
        max_length=300,
        required=False,
        widget=forms.Textarea({"rows": 2}),
    )


@needs("contracts.add_homevisit")
@require_http_methods(["GET", "POST"])
def home_visit(request, resident):
    rows = Resident.objects.visible_to(request.user).select_related("home", "merged_into__home")
    person = get_object_or_404(rows, uuid=resident).survivor
    form = HomeVisitForm(request.POST or None, initial={"key": uuid.uuid4(), "on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            actions.write(resident=person, by=request.user, request=request, **form.cleaned_data)
            return redirect("resident", resident=person.uuid)
        except Refused as refusal:
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
    wrong = next((name for name in form.fields if form.is_bound and name in form.errors), "did")
    form.fields[wrong].widget.attrs["autofocus"] = True
    past = (
        HomeVisit.objects.visible_to(request.user).filter(resident__in=person.file_ids).select_related("by")
    )
    context = {"resident": person, "form": form, "past": past[:10]}
    return render(request, "contracts/home_visit.html", context, status=400 if form.errors else 200)
