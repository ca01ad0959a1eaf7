"""Staff: the system administrator opens accounts, the security administrator grants roles and unlocks."""

from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django_otp.plugins.otp_totp.models import TOTPDevice

from clinic import identifiers, refusals
from clinic.actions import accounts, staff
from clinic.admin.base import DeskAdmin
from clinic.admin.filters import InstitutionFilter
from clinic.codes import Role
from clinic.errors import Refused
from clinic.models import Institution, User

DETAILS = ["name", "institution", "title", "licence", "department", "phone"]


class LockedFilter(admin.SimpleListFilter):
    title = gettext_lazy("locked out")
    parameter_name = "locked"

    def lookups(self, request, model_admin):
        return [("yes", gettext_lazy("Yes"))]

    def queryset(self, request, queryset):
        return queryset.filter(locked=True) if self.value() else queryset


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("role"), choices=Role.choices)
    reason = forms.CharField(label=gettext_lazy("reason"), max_length=200, required=False)


@admin.register(User)
class StaffAdmin(DeskAdmin):
    list_display = [
        "name",
        "username",
        "role",
        "institution",
        "title",
        "is_active",
        "locked",
        "second_factor",
    ]
    list_filter = ["role", InstitutionFilter, "is_active", LockedFilter]
    list_select_related = ["institution"]
    search_fields = ["name", "username"]
    search_help_text = gettext_lazy("Name or account")
    ordering = ["institution__path", "name"]
    change_form_template = "admin/clinic/staff_form.html"
    history_masks = {"phone": identifiers.mask_phone}

    def get_queryset(self, request):
        since = timezone.now() - settings.AXES_COOLOFF_TIME
        attempts = AccessAttempt.objects.filter(
            username=OuterRef("username"),
            attempt_time__gt=since,
            failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        )
        factors = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
        return super().get_queryset(request).annotate(locked=Exists(attempts), has_factor=Exists(factors))

    @admin.display(description=gettext_lazy("lock-out"))
    def locked(self, user):
        return _("locked out") if user.locked else "—"

    @admin.display(description=gettext_lazy("second factor"))
    def second_factor(self, user):
        return _("set up") if user.has_factor else "—"

    def get_fields(self, request, obj=None):
        return ["username", *DETAILS, "role", "is_active"] if obj else ["username", *DETAILS]

    def get_readonly_fields(self, request, obj=None):
        return ["username", "role"] if obj else []

    def has_change_permission(self, request, obj=None):
        """The security administrator looks and grants; names and places are the system administrator's."""
        return request.user.has_perm("clinic.add_user")

    def has_view_permission(self, request, obj=None):
        return request.user.has_perm("clinic.view_user")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = Institution.objects.under(request.user.institution).active()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @sensitive_variables("password")
    def save_model(self, request, obj, form, change):
        if change:
            accounts.keep_account(user=obj, changed=form.changed_data, by=request.user, request=request)
        else:
            request.new_password = accounts.open_account(user=obj, by=request.user, request=request)[1]

    def save_related(self, request, form, formsets, change):
        """Groups follow the role; the form has no say."""

    def response_add(self, request, obj, post_url_continue=None):
        return self.show_password(request, obj, request.new_password)

    def show_password(self, request, user, password):
        """Once, on the page that answers; it is kept nowhere."""
        context = {
            **self.admin_site.each_context(request), "title": _("First password"), "subtitle": str(user),
            "opts": self.opts, "account": user, "password": password,
        }  # fmt: skip
        response = TemplateResponse(request, "admin/clinic/first_password.html", context)
        response["Cache-Control"] = "no-store"
        return response

    # The security administrator's buttons -----------------------------------------------------------

    def get_urls(self):
        def page(address, view):
            name = f"clinic_user_{view.__name__}"
            return path(f"<uuid:uuid>/{address}/", self.admin_site.admin_view(view), name=name)

        return [
            page("role", self.grant), page("unlock", self.unlock), page("password", self.password),
            page("factor", self.factor), *super().get_urls(),
        ]  # fmt: skip

    def colleague(self, request, uuid, permission):
        """Somebody else's account, for a POST by whoever holds the right."""
        user = self.fetch(request, str(uuid))
        if not request.user.has_perm(permission) or request.method != "POST":
            raise PermissionDenied
        return user

    def back(self, request, user, sentence=None, refusal=None):
        if refusal:
            refusals.tell(request, refusal)
        else:
            messages.success(request, sentence)
        return HttpResponseRedirect(self.address_of(user))

    def grant(self, request, uuid):
        user = self.colleague(request, uuid, "clinic.assign_role")
        form = RoleForm(request.POST)
        if not form.is_valid():
            return self.back(request, user, refusal=Refused(_("Please choose a role.")))
        try:
            staff.grant_role(user=user, by=request.user, request=request, **form.cleaned_data)
        except Refused as refusal:
            return self.back(request, user, refusal=refusal)
        return self.back(request, user, _("The role is granted."))

    def unlock(self, request, uuid):
        user = self.colleague(request, uuid, "clinic.unlock_user")
        try:
            staff.unlock(user=user, by=request.user, request=request)
        except Refused as refusal:
            return self.back(request, user, refusal=refusal)
        return self.back(request, user, _("The account is unlocked."))

    @sensitive_variables("password")
    def password(self, request, uuid):
        user = self.colleague(request, uuid, "clinic.unlock_user")
        password = accounts.new_password()
        try:
            staff.set_password(user=user, password=password, by=request.user, request=request)
        except Refused as refusal:
            return self.back(request, user, refusal=refusal)
        return self.show_password(request, user, password)

    def factor(self, request, uuid):
        user = self.colleague(request, uuid, "clinic.unlock_user")
        try:
            staff.remove_second_factor(user=user, by=request.user, request=request)
        except Refused as refusal:
            return self.back(request, user, refusal=refusal)
        return self.back(request, user, _("The second factor is removed."))

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        others = obj is not None and obj.pk != request.user.pk
        context.update(
            role_form=RoleForm(initial={"role": obj.role})
            if others and request.user.has_perm("clinic.assign_role")
            else None,
            may_unlock=others and request.user.has_perm("clinic.unlock_user"),
        )
        return super().render_change_form(request, context, add, change, form_url, obj)
