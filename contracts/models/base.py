"""What the tables of signing share."""

from django.db import models
from django.db.models import Func


class InstitutionRowQuerySet(models.QuerySet):
    """Rows of an institution, seen from it and from above with the right to the kind of row."""

    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm(f"contracts.view_{self.model._meta.model_name}")):
            return self.none()
        return self.filter(institution__path__startswith=user.institution.path)


class SharedRowQuerySet(InstitutionRowQuerySet):
    """Rows of an institution that are used below it too: seen from it, from above and from below."""

    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm(f"contracts.view_{self.model._meta.model_name}")):
            return self.none()
        return self.filter(
            models.Q(institution__path__startswith=user.institution.path)
            | models.Q(institution__path__in=paths_to(user.institution))
        )

    def used_at(self, institution):
        """Those of the institution and of all above it."""
        return self.filter(institution__path__in=paths_to(institution))


def paths_to(institution) -> list[str]:
    """The paths of the institution and of all above it."""
    parts = [part for part in institution.path.split("/") if part]
    return ["/" + "/".join(parts[: n + 1]) + "/" for n in range(len(parts))]


class SameRow(Func):
    """``int8range(id, id, '[]')``: equality as an overlap, which a GiST index can exclude without the extension
    btree_gist."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, %(expressions)s, '[]')"


class Days(Func):
    """``daterange(first, last, '[]')``: both days count; no last day means for ever."""

    function = "daterange"
    template = "%(function)s(%(expressions)s, '[]')"
