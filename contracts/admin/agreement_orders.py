"""Orders for many: the rows that are ticked, or all of the filter. A page says how many will pass and how many will not,
and why; one click makes it a batch (contracts.actions.batches), which a job works off."""

import uuid
from dataclasses import dataclass

from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from clinic import refusals
from clinic.errors import Refused
from contracts import previewing
from contracts.actions import batches
from contracts.codes import BatchKind
from contracts.forms.desk_acts import EndForm, ReassignForm, RenewManyForm
from contracts.jobs import run_batch
from contracts.models import Team


@dataclass(frozen=True)
class Order:
    kind: str
    form: type
    label: str
    hint: str


ORDERS = {
    "renew_many": Order(
        BatchKind.RENEW, RenewManyForm, pgettext_lazy("batch", "Renew…"),
        gettext_lazy("With the same team and packages, from the day after the last one, or today where that has passed."),
    ),
    "end_many": Order(
        BatchKind.TERMINATE, EndForm, pgettext_lazy("batch", "End early…"),
        gettext_lazy(
            "What is not done by then is no longer due; a renewal that has not begun ends with it. This cannot be undone."
        ),
    ),
    "reassign_many": Order(
        BatchKind.REASSIGN, ReassignForm, pgettext_lazy("batch", "Give to another doctor of the team…"),
        gettext_lazy("The team stays the same; all must be of one team."),
    ),
}  # fmt: skip


class AgreementOrders:
    """Mixed into AgreementAdmin."""

    actions = list(ORDERS)

    def has_batch_permission(self, request):
        return request.user.has_perm("contracts.batch_agreement")

    def renew_many(self, request, queryset):
        return self._order(request, queryset, "renew_many")

    def end_many(self, request, queryset):
        return self._order(request, queryset, "end_many")

    def reassign_many(self, request, queryset):
        return self._order(request, queryset, "reassign_many")

    def _order(self, request, queryset, name):
        """First the page that asks; its own POST comes back here with ``confirm``."""
        order = ORDERS[name]
        form = self._order_form(request, queryset, order)
        shown = previewing.of(order.kind, queryset)
        if "confirm" in request.POST and form.is_valid():
            # Other rows may have come into the filter meanwhile: then the numbers are shown once more.
            if request.POST["confirm"] == str(shown.total):
                return self._start(request, queryset, order, form)
            form.add_error(None, _("The selection has changed meanwhile. Please look at the numbers again."))
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "order": order, "name": name, "form": form,
            "title": order.label.rstrip("…"), "shown": shown, "most": batches.MOST, "ticked": self._ticked(request, queryset),
            "across": request.POST.get("select_across") == "1",
        }  # fmt: skip
        return TemplateResponse(
            request, "admin/contracts/agreement_order.html", context, status=400 if form.errors else 200
        )

    def _order_form(self, request, queryset, order):
        more = {}
        if order.kind == BatchKind.RENEW:
            more["institution"] = request.user.institution
        elif order.kind == BatchKind.REASSIGN:
            teams = list(queryset.order_by().values_list("team", flat=True).distinct()[:2])
            more["team"] = Team.objects.get(pk=teams[0]) if len(teams) == 1 else None
        if "confirm" in request.POST:
            return order.form(request.POST, **more)
        return order.form(initial={"key": uuid.uuid4(), "years": 1}, **more)

    def _ticked(self, request, queryset):
        """Public ids of the ticked rows; where all of the filter are meant, one stands for them (Django's actions ask
        for at least one)."""
        if request.POST.get("select_across") == "1":
            return queryset.order_by("-pk").values_list("uuid", flat=True)[:1]
        return queryset.order_by("-pk").values_list("uuid", flat=True)

    def _start(self, request, queryset, order, form):
        rows = queryset.order_by("pk").values_list("pk", "resident")[: batches.MOST + 1]
        try:
            batch = batches.start(
                key=form.cleaned_data["key"], kind=order.kind, institution=request.user.institution, agreements=rows,
                orders=form.orders(), by=request.user, request=request,
            )  # fmt: skip
        except Refused as refusal:
            refusals.tell(request, refusal)
            return HttpResponseRedirect(request.get_full_path())
        run_batch.enqueue(batch.pk)
        return HttpResponseRedirect(reverse("admin:contracts_batch_change", args=[batch.uuid]))


for _name, _one in ORDERS.items():
    _function = getattr(AgreementOrders, _name)
    _function.short_description = _one.label
    _function.allowed_permissions = ["batch"]
