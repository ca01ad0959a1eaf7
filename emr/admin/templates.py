"""Templates shared with institutions and departments, for those who run a centre or the district."""

from django.contrib import admin, messages
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.admin.base import CappedPaginator, DeskAdmin, DeskList
from clinic.admin.filters import InstitutionFilter
from clinic.errors import Refused
from clinic.registry import DeskTile
from emr.actions import templates as actions
from emr.models import NoteTemplate
from emr.templating import listing


class TemplateList(DeskList):
    """Rows lead to the template's own page, where its boxes are."""

    def url_for_result(self, result):
        return reverse("template", args=[result.uuid])


@admin.register(NoteTemplate)
class NoteTemplateAdmin(DeskAdmin):
    paginator = CappedPaginator
    list_display = ["name", "box", "institution", "department", "shown", "active", "made_by"]
    list_filter = [InstitutionFilter, "kind", "active"]
    list_select_related = ["institution", "made_by"]
    search_fields = ["name", "^initials", "^pinyin"]
    search_help_text = gettext_lazy("Name, initials or pinyin")
    sortable_by = ()
    ordering = ["institution__path", "name"]
    actions = ["switch_on", "switch_off"]

    def get_queryset(self, request):
        """The shared ones: a person's own are nobody else's."""
        return super().get_queryset(request).filter(owner=None)

    def get_changelist(self, request, **kwargs):
        return TemplateList

    def add_view(self, request, form_url="", extra_context=None):
        return HttpResponseRedirect(f"{reverse('template-new')}?kind=plan")

    def change_view(self, request, object_id, form_url="", extra_context=None):
        return HttpResponseRedirect(reverse("template", args=[self.fetch(request, object_id).uuid]))

    @admin.display(description=gettext_lazy("box"))
    def box(self, row):
        return listing.box(row)

    @admin.display(description=gettext_lazy("content"))
    def shown(self, row):
        return listing.preview(row)

    @admin.action(description=gettext_lazy("Take into use"), permissions=["change"])
    def switch_on(self, request, queryset):
        self._switch(request, queryset, active=True)

    @admin.action(description=gettext_lazy("Take out of use"), permissions=["change"])
    def switch_off(self, request, queryset):
        self._switch(request, queryset, active=False)

    def _switch(self, request, queryset, active):
        try:
            for row in queryset:
                actions.switch(template=row.uuid, active=active, by=request.user, request=request)
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _("%(n)d templates changed.") % {"n": len(queryset)})


registry.desk_tiles += [
    DeskTile("admin:emr_notetemplate_changelist", gettext_lazy("Shared templates"), gettext_lazy("Words that all doctors of an institution find"), ("emr.share_notetemplate",), order=40),
]  # fmt: skip
