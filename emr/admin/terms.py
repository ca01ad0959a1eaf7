"""Diagnosis terms and their releases, to look up."""

import uuid

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.registry import DeskTile
from emr.models import Term, TermRelease


@admin.register(TermRelease)
class TermReleaseAdmin(ReadOnlyAdmin):
    list_display = ["system", "name", "valid_from", "terms_count", "imported_at"]
    list_filter = ["system"]
    actions = None


class ReleaseFilter(admin.SimpleListFilter):
    """The releases in force unless another is chosen."""

    title = gettext_lazy("release")
    parameter_name = "release"

    def lookups(self, request, model_admin):
        return [(str(row.uuid), str(row)) for row in TermRelease.objects.visible_to(request.user)]

    def choices(self, changelist):
        every, *others = super().choices(changelist)
        yield {**every, "display": _("in force today")}
        yield from others

    def queryset(self, request, queryset):
        releases = TermRelease.objects.visible_to(request.user)
        if not self.value():
            return queryset.filter(release__in=releases.in_force(timezone.localdate()).values("pk"))
        try:
            return queryset.filter(release__in=releases.filter(uuid=uuid.UUID(self.value())))
        except ValueError:
            return queryset.none()


@admin.register(Term)
class TermAdmin(ReadOnlyAdmin):
    addressed = False
    paginator = CappedPaginator
    list_display = ["code", "name", "release", "initials"]
    list_filter = [ReleaseFilter]
    list_select_related = ["release"]
    search_fields = ["^code", "name", "^initials"]
    search_help_text = gettext_lazy("Code, name or pinyin initials")
    sortable_by = ()
    actions = None


registry.desk_tiles += [
    DeskTile("admin:emr_term_changelist", gettext_lazy("Diagnosis terms"), gettext_lazy("Codes and releases"), ("emr.view_term", "emr.view_termrelease"), order=60),
]  # fmt: skip
