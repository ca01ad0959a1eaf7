"""Training at the desk: courses with their questions, sessions with who is asked."""

from django.contrib import admin
from django.contrib.auth import get_user_model

from clinic import audit
from clinic.admin.base import DeskAdmin
from clinic.codes import Act
from clinic.models import Institution
from maintenance.models import Course, Question, Session, Trainee


class Kept(DeskAdmin):
    sortable_by = ()
    actions = None

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        audit.record(Act.CHANGE if change else Act.CREATE, request=request, obj=obj)


class QuestionInline(admin.StackedInline):
    model = Question
    extra = 0
    fields = ["words", "answers", "right", "order"]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.view_question")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.change_question")

    has_add_permission = has_delete_permission = has_change_permission


@admin.register(Course)
class CourseAdmin(Kept):
    list_display = ["name", "code", "way", "minutes", "pass_at", "valid_months", "active"]
    list_filter = ["active", "way"]
    fields = [
        ("code", "name"),
        ("way", "minutes"),
        "roles",
        "pages",
        "material",
        ("pass_at", "valid_months"),
        "active",
    ]
    inlines = [QuestionInline]


class TraineeInline(admin.TabularInline):
    model = Trainee
    extra = 1
    fields = ["person"]

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.view_session")

    def has_change_permission(self, request, obj=None):
        return request.user.has_perm("maintenance.change_session")

    has_add_permission = has_delete_permission = has_change_permission

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = (
            get_user_model()
            .objects.visible_to(request.user)
            .filter(is_active=True)
            .order_by("institution__path", "name")
        )
        kwargs["to_field_name"] = "uuid"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Session)
class SessionAdmin(Kept):
    list_display = ["course", "institution", "starts_at", "place", "trainer"]
    list_select_related = ["course", "institution"]
    fields = ["course", "institution", ("starts_at", "ends_at"), "place", "trainer"]
    inlines = [TraineeInline]

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "institution":
            kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)
