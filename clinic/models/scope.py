"""Rows of an institution: who sees them, and which of them count for a place."""

from django.db import models


class InstitutionRowQuerySet(models.QuerySet):
    """Rows of an institution, seen from it and from above with the right to the kind of row."""

    def visible_to(self, user):
        return self.filter(self._here(user)) if self._may_see(user) else self.none()

    def along(self, institution):
        """Those of the institution and of all above it, the nearest first."""
        return self.filter(institution__path__in=institution.paths_up).order_by("-institution__path")

    def _may_see(self, user):
        meta = self.model._meta
        return user.is_authenticated and user.has_perm(f"{meta.app_label}.view_{meta.model_name}")

    def _here(self, user):
        return models.Q(institution__path__startswith=user.institution.path)


class SharedRowQuerySet(InstitutionRowQuerySet):
    """Rows of an institution that are used below it too: seen from it, from above and from below."""

    def _here(self, user):
        return super()._here(user) | models.Q(institution__path__in=user.institution.paths_up)

    def used_at(self, institution):
        """Those of the institution and of all above it."""
        return self.filter(institution__path__in=institution.paths_up)
