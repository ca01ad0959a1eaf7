"""Allowances at the desk: how the year stands everywhere, and one allowance with its ledger and its acts."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic import refusals, registry
from clinic.admin.base import DeskAdmin
from clinic.errors import Refused
from clinic.models import Institution
from clinic.registry import DeskTile
from messaging import quota as ledger
from messaging.actions import loans
from messaging.actions import quota as actions
from messaging.codes import LoanState, QuotaKind
from messaging.forms.quota import GrantForm, LimitForm, LoanForm, ShareForm, YearForm
from messaging.models import Quota, QuotaLoan
from messaging.quota import forecast, pages

# More institutions than a district has.
MOST = 500
PAGE = 50


@admin.register(Quota)
class QuotaAdmin(DeskAdmin):
    """Written through actions alone; the list is a table of our own, since every line is a sum."""

    def own_page(self, address, view, name):
        return path(address, self.admin_site.admin_view(view), name=f"messaging_quota_{name}")

    def get_urls(self):
        return [
            self.own_page("", self.table, "changelist"),
            self.own_page("open/", self.open_year, "open"),
            self.own_page("<uuid:quota>/act/<slug:name>/", self.act, "act"),
            self.own_page("<uuid:quota>/ledger.<slug:form>", self.export, "export"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request):
        """On the list itself, not on a form of its own."""
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("institution")

    def save_model(self, request, obj, form, change):
        raise PermissionDenied  # through actions alone

    # The year --------------------------------------------------------------------------------------

    def table(self, request, form=None, status=200):
        """``?year=2026``: all allowances in reach, their sum, and what is to come."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        year = pages.year_of(request.GET.get("year", ""))
        rows = list(self.get_queryset(request).filter(year=year).order_by("institution__path")[:MOST])
        balances = ledger.balances(rows)
        ahead = forecast.of_all(rows, timezone.localdate(), balances)
        for row in rows:
            row.balance, row.ahead = balances[row.pk], ahead[row.pk]
            row.parts = pages.bar(row.balance)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": self.opts.verbose_name_plural,
            "rows": rows, "year": year, "total": pages.total(rows), "is_this": year == timezone.localdate().year,
            "form": form or self._year_form(request), "loans": self._waiting(request),
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/quota_list.html", context, status=status)

    def _year_form(self, request, data=None):
        if not request.user.has_perm("messaging.add_quota"):
            return None
        reach = Institution.objects.under(request.user.institution).active()
        return YearForm(data, institutions=reach)

    def _waiting(self, request):
        rows = QuotaLoan.objects.visible_to(request.user).filter(state=LoanState.ASKED)
        return rows.select_related("lender__institution", "borrower__institution", "asked_by")[:PAGE]

    def open_year(self, request):
        form = self._year_form(request, request.POST)
        if request.method != "POST" or form is None:
            raise PermissionDenied
        if not form.is_valid():
            return self.table(request, form, 400)
        quota = actions.open_year(by=request.user, request=request, **form.cleaned_data)
        return HttpResponseRedirect(self.address_of(quota))

    # One allowance ---------------------------------------------------------------------------------

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.fetch(request, object_id)
        if request.method != "GET":
            raise PermissionDenied
        return self._page(request, row)

    def _page(self, request, row, failed=(), status=200):
        """``failed``: (name of the act, its bound form), shown with what was typed."""
        forms = self._forms(request.user, row)
        forms.update([failed] if failed else [])
        balance = ledger.balance(row)
        entries = pages.entries(row, request.GET)
        page = Paginator(entries, PAGE).get_page(request.GET.get("p"))
        pages.running(row, page.object_list)
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": str(row), "quota": row,
            "balance": balance, "parts": pages.bar(balance), "page": page,
            "ahead": forecast.of(row, timezone.localdate(), balance),
            "warnings": row.warnings.filter(granted=balance.granted), "forms": forms,
            "kinds": QuotaKind.choices, "months": pages.months(row), "asked": request.GET,
            "loans": pages.loans_of(row), "decides": request.user.has_perm("messaging.decide_quotaloan"),
            "gives_back": request.user.has_perm("messaging.add_quotaloan"),
        }  # fmt: skip
        return TemplateResponse(request, "admin/messaging/quota.html", context, status=status)

    def _forms(self, user, row, posted="", data=None):
        """{act: form} of what this person may do with this allowance now."""
        others = Quota.objects.filter(year=row.year).exclude(pk=row.pk).select_related("institution")
        below = others.filter(institution__path__startswith=row.institution.path)
        lenders = others.exclude(pk__in=below.values("pk"))
        known = {
            "grant": ("messaging.fill_quota", lambda given: GrantForm(given)),
            "share": ("messaging.share_quota", lambda given: ShareForm(given, takers=below)),
            "borrow": ("messaging.add_quotaloan", lambda given: LoanForm(given, lenders=lenders)),
            "limit": (
                "messaging.change_quota",
                lambda given: LimitForm(given, initial={"at_limit": row.at_limit}),
            ),
        }
        return {
            name: make(data if name == posted else None)
            for name, (right, make) in known.items()
            if user.has_perm(right) and not (name == "share" and row.institution.is_leaf)
        }

    def act(self, request, quota, name):
        row = self.fetch(request, str(quota))
        if request.method != "POST":
            raise PermissionDenied
        if name not in RUN:
            raise Http404
        form = self._forms(request.user, row, name, request.POST).get(name)
        if form is None:
            raise PermissionDenied
        if not form.is_valid():
            return self._page(request, row, (name, form), 400)
        try:
            RUN[name](row, by=request.user, request=request, **form.cleaned_data)
        except Refused as refusal:
            field = refusal.facts.get("field")
            form.add_error(field if field in form.fields else None, refusal.message)
            return self._page(request, row, (name, form), refusal.status)
        messages.success(request, DONE[name])
        return HttpResponseRedirect(self.address_of(row))

    def export(self, request, quota, form):
        row = self.fetch(request, str(quota))
        return pages.sheet(request, row, form)


RUN = {
    "grant": lambda row, **said: actions.grant(quota=row, **said),
    "share": lambda row, **said: actions.share(giver=row, **said),
    "borrow": lambda row, **said: loans.ask(borrower=row, **said),
    "limit": lambda row, **said: actions.set_limit(quota=row, **said),
}
DONE = {
    "grant": gettext_lazy("Written into the ledger."),
    "share": gettext_lazy("Written into both ledgers."),
    "borrow": gettext_lazy("The district has been asked."),
    "limit": gettext_lazy("Changed."),
}


@admin.register(QuotaLoan)
class QuotaLoanAdmin(DeskAdmin):
    """Loans: the district decides, the borrower gives back."""

    list_display = ["asked_at", "borrower", "lender", "segments", "reason", "state", "asked_by", "decided_by"]
    list_filter = ["state"]
    list_select_related = ["lender__institution", "borrower__institution", "asked_by", "decided_by"]
    sortable_by = ()
    actions = None

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def get_urls(self):
        act = path(
            "<uuid:loan>/act/<slug:name>/",
            self.admin_site.admin_view(self.act),
            name="messaging_quotaloan_act",
        )
        return [act, *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """A loan is read on the allowance that asked for it, where one may; else on the lender's."""
        row = self.fetch(request, object_id)
        mine = Quota.objects.visible_to(request.user).filter(pk__in=[row.borrower_id, row.lender_id])
        found = mine.order_by("pk").first()
        if found is None:
            raise Http404
        place = row.borrower if mine.filter(pk=row.borrower_id).exists() else found
        return HttpResponseRedirect(reverse("admin:messaging_quota_change", args=[place.uuid]) + "#loans")

    def act(self, request, loan, name):
        row = self.fetch(request, str(loan))
        if request.method != "POST":
            raise PermissionDenied
        if name not in DECIDE:
            raise Http404
        right, run, done = DECIDE[name]
        if not request.user.has_perm(right):
            raise PermissionDenied
        try:
            run(row, by=request.user, request=request)
        except Refused as refusal:
            refusals.tell(request, refusal)
        else:
            messages.success(request, done)
        return HttpResponseRedirect(self.address_of(row))


DECIDE = {
    "approve": (
        "messaging.decide_quotaloan",
        lambda row, **said: loans.decide(loan=row, approve=True, **said),
        gettext_lazy("Approved; the segments have moved."),
    ),
    "refuse": (
        "messaging.decide_quotaloan",
        lambda row, **said: loans.decide(loan=row, approve=False, **said),
        gettext_lazy("Refused."),
    ),
    "return": (
        "messaging.add_quotaloan",
        lambda row, **said: loans.give_back(loan=row, **said),
        gettext_lazy("Given back."),
    ),
}

registry.desk_tiles.append(
    DeskTile("admin:messaging_quota_changelist", gettext_lazy("Message allowance"), gettext_lazy("What is left of the year, when it runs out, loans"), ("messaging.view_quota",), order=26)
)  # fmt: skip
