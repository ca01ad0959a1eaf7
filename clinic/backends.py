"""Rights come from the role table in memory; rows in the permission tables grant nothing."""

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend

from clinic.permissions import permissions_of


class RoleBackend(ModelBackend):
    def get_user(self, user_id):
        """One query for the person and the institution that every scope starts from."""
        user = get_user_model().objects.select_related("institution").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None

    def get_all_permissions(self, user_obj, obj=None):
        return set() if obj is not None else set(permissions_of(user_obj))

    get_user_permissions = get_group_permissions = get_all_permissions

    def has_perm(self, user_obj, perm, obj=None):
        return obj is None and perm in permissions_of(user_obj)

    def has_module_perms(self, user_obj, app_label):
        return any(perm.startswith(f"{app_label}.") for perm in permissions_of(user_obj))
