"""Staff. Roles decide what they may do (clinic.permissions), institutions decide where."""

from django.contrib.auth.models import AbstractUser, Group, UserManager
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import permissions
from clinic.codes import Role
from clinic.models.base import Row
from clinic.models.institution import Institution


class UserQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Colleagues of one's own institution and below; the security administrator sees all."""
        if not user.is_authenticated or not user.institution_id:
            return self.none()
        return self.filter(institution__path__startswith=user.institution.path)

    def doctors_of(self, institution):
        return self.filter(
            institution=institution, is_active=True, role__in=[Role.DOCTOR, Role.ASSISTANT]
        ).order_by("name")


class StaffManager(UserManager.from_queryset(UserQuerySet)):
    def create_superuser(self, username, email=None, password=None, **fields):
        """The first account of a new installation: it grants roles and sees no patient."""
        return self.create_user(username, email, password, role=Role.SECADMIN, **fields)


class User(Row, AbstractUser):
    """One person, one account (rules B2.1). There is no superuser: nobody may do everything."""

    PRIVATE_FIELDS = frozenset({"password", "phone", "email"})

    first_name = None
    last_name = None
    is_superuser = False
    user_permissions = None
    name = models.CharField(_("full name"), max_length=60)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices)
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, related_name="staff", verbose_name=_("institution")
    )
    title = models.CharField(_("title"), max_length=30, blank=True)
    licence = models.CharField(_("licence number"), max_length=30, blank=True)
    department = models.CharField(_("department"), max_length=30, blank=True, default="全科")
    phone = models.CharField(_("phone"), max_length=30, blank=True)
    must_change_password = models.BooleanField(_("must change password at next sign-in"), default=True)
    password_changed_at = models.DateTimeField(_("password changed at"), null=True, editable=False)
    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    REQUIRED_FIELDS = ["name"]
    objects = StaffManager()

    class Meta:
        verbose_name = _("staff member")
        verbose_name_plural = _("staff")
        ordering = ["name"]
        permissions = [
            ("assign_role", "Can grant a role"),
            ("unlock_user", "Can unlock an account"),
            ("view_operations", "Can see how the system is doing"),
        ]

    def __str__(self):
        return self.name or self.username

    def get_full_name(self):
        return self.name

    get_short_name = get_full_name

    @property
    def is_staff(self):
        """May enter the admin."""
        return self.role in permissions.ADMIN_ROLES

    @property
    def is_clinical(self):
        return self.role in permissions.CLINICAL_ROLES

    def save(self, *args, update_fields=None, **kwargs):
        super().save(*args, update_fields=update_fields, **kwargs)
        if update_fields is None or "role" in update_fields:
            self._follow_role()

    def _follow_role(self):
        """The group mirrors the role for the admin's eyes; it grants nothing by itself."""
        if not self.role:
            self.groups.clear()
            return
        group, _created = Group.objects.get_or_create(name=self.role)
        self.groups.set([group])


class PasswordRecord(models.Model):
    """Hashes of earlier passwords, so that the last few are not used again."""

    PRIVATE_FIELDS = frozenset({"password"})

    user = models.ForeignKey(
        User, models.CASCADE, related_name="password_records", verbose_name=_("staff member")
    )
    password = models.CharField(_("hash"), max_length=128)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("earlier password")
        verbose_name_plural = _("earlier passwords")
        ordering = ["-created_at", "-pk"]
