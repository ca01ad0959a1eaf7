"""Saved filters at the desk: criteria under a name, from which a campaign begins."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.admin.base import CappedPaginator, DeskAdmin, DeskForm
from clinic.codes import Insurance, KeyPopulation, Sex
from clinic.models import Institution
from messaging.actions import filters as actions
from messaging.forms.compose import AudienceForm, criteria
from messaging.models import SavedFilter

FIELDS = tuple(AudienceForm.base_fields)


class FilterForm(DeskForm, AudienceForm):
    """The criteria as the page of a new campaign asks for them."""

    class Meta:
        model = SavedFilter
        fields = ["institution", "name", "active"]

    by = None  # the admin sets it on a subclass for each request

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["institution"] = self.instance.institution.uuid
            self.initial.update(self.instance.criteria)
        self.narrow(self.by)

    def clean(self):
        super().clean()
        self.check_spans()
        return self.cleaned_data


@admin.register(SavedFilter)
class SavedFilterAdmin(DeskAdmin):
    form = FilterForm
    paginator = CappedPaginator
    list_display = ["name", "said", "institution", "active", "use"]
    list_filter = ["active"]
    list_select_related = ["institution"]
    sortable_by = ()
    actions = None
    change_form_template = "admin/messaging/filter_form.html"

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form)(form.__name__, (form,), {"by": request.user})

    def get_fieldsets(self, request, obj=None):
        places = [] if request.user.institution.is_leaf else ["places"]
        return [
            (None, {"fields": ["name", "institution", "active"]}),
            (_("Criteria"), {"fields": [
                *places, "tags", ("age_from", "age_to"), "sex", "insurance", ("visited_from", "visited_to"),
            ]}),
        ]  # fmt: skip

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request):
        return {"institution": request.user.institution.uuid}

    def save_model(self, request, obj, form, change):
        data = form.cleaned_data
        kept = actions.keep(
            institution=data["institution"], name=data["name"], criteria=criteria(data), active=data["active"],
            by=request.user, row=obj if change else None, request=request,
        )  # fmt: skip
        obj.pk, obj.uuid = kept.pk, kept.uuid

    @admin.display(description=gettext_lazy("criteria"))
    def said(self, row):
        return "; ".join(spoken(row.criteria)) or _("everybody")

    @admin.display(description="")
    def use(self, row):
        address = f"{reverse('admin:messaging_campaign_add')}?filter={row.uuid}"
        return format_html('<a class="desk-button" href="{}">{}</a>', address, _("New campaign"))


def spoken(said):
    """The criteria in words; institutions as a number, since their names would cost a query a row."""
    if places := said.get("places"):
        yield _("%(n)d institutions") % {"n": len(places)}
    for name, codes in (("tags", KeyPopulation), ("insurance", Insurance)):
        if chosen := said.get(name):
            yield "、".join(str(codes(code).label) for code in chosen if code in codes.values)
    if said.get("sex") in Sex.values:
        yield str(Sex(said["sex"]).label)
    low, high = said.get("age_from"), said.get("age_to")
    if low is not None or high is not None:
        yield _("aged %(low)s–%(high)s") % {"low": low or 0, "high": "" if high is None else high}
    if said.get("visited_from") or said.get("visited_to"):
        yield _("visit %(low)s–%(high)s") % {
            "low": said.get("visited_from", ""),
            "high": said.get("visited_to", ""),
        }
