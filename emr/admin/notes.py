"""Signed notes at the desk of the medical administration: the text in force, and every signed version of it."""

from django.contrib import admin
from django.http import Http404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from clinic import registry
from clinic.admin.base import CappedPaginator, ReadOnlyAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.registry import DeskTile
from emr.admin.visits import DayFilter
from emr.models import Encounter, Note
from emr.signed import reading, versions

JOINED = ("encounter__resident__home", "encounter__institution")


class VisitDayFilter(DayFilter):
    """The day of the visit: an index knows it."""

    title = gettext_lazy("day of the visit")

    def queryset(self, request, queryset):
        visits = super().queryset(request, Encounter.objects.in_scope(request.user))
        return queryset.filter(encounter__in=visits.values("pk"))


class PlaceFilter(InstitutionFilter):
    path = "encounter__institution__path"


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin):
    list_display = ["signed", "resident", "institution", "signer", "visit_kind", "needs_review"]
    list_display_links = ["signed"]
    list_filter = [VisitDayFilter, PlaceFilter, "visit_kind", "needs_review"]
    ordering = ["encounter__arrived_at"]
    sortable_by = ()
    paginator = CappedPaginator
    actions = None
    fields = readonly_fields = ["resident", "institution", "signed", "signer", "signer_title", "needs_review"]
    change_form_template = "admin/emr/note.html"

    def get_queryset(self, request):
        signed = super().get_queryset(request).filter(signed_at__isnull=False).select_related(*JOINED)
        return signed.filter(encounter__in=Encounter.objects.in_scope(request.user).values("pk"))

    def resident_of(self, obj):
        return obj.encounter.resident

    @admin.display(description=gettext_lazy("signed at"))
    def signed(self, note):
        return timezone.localtime(note.signed_at).strftime("%Y-%m-%d %H:%M")

    @admin.display(description=gettext_lazy("resident"))
    def resident(self, note):
        person = note.encounter.resident
        return f"{person.name} · {person.get_sex_display()} · {person.age_text}"

    @admin.display(description=gettext_lazy("institution"))
    def institution(self, note):
        return note.encounter.institution.name

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context["story"] = reading.story(obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @method_decorator(require_GET)
    def history_view(self, request, object_id, extra_context=None):
        """Every signed version, the last first, with what it changed in each field."""
        row = self.fetch(request, object_id)
        self.seen(request, row, page="history")
        return self._answer(request, row, "admin/emr/note_history.html", {"story": reading.story(row)})

    @method_decorator(require_GET)
    def version_view(self, request, object_id, number):
        """One signed version whole: 1 is the note as it was first signed."""
        row = self.fetch(request, object_id)
        found = next((version for version in versions.of(row) if version.number == number), None)
        if found is None:
            raise Http404
        self.seen(request, row, page="history", version=number)
        return self._answer(
            request, row, "admin/emr/note_version.html",
            {"version": found, "number": number, "fields": reading.whole(found)},
        )  # fmt: skip


registry.desk_tiles.append(
    DeskTile("admin:emr_note_changelist", gettext_lazy("Signed notes"), gettext_lazy("Every version, field by field"), ("emr.view_note",), order=21)
)  # fmt: skip
