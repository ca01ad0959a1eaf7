"""Filters of the agreements' list. Rows are chosen by public id or code, in the reader's reach alone."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.admin.filters import InstitutionFilter
from clinic.models import Institution, User
from contracts.codes import ALIVE, IN_FORCE, AgreementState
from contracts.models import Agreement, AgreementPackage, Package, Team, TeamMember

MOST = 200
LAPSED = "lapsed"


class PlaceFilter(InstitutionFilter):
    """By row numbers and not by the path: an index condition, where the path would be a join."""

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        reach = Institution.objects.under(request.user.institution)
        chosen = reach.filter(code=self.value()).first()
        if chosen is None:
            return queryset.none()
        places = list(reach.filter(path__startswith=chosen.path).values_list("pk", flat=True))
        return queryset.filter(institution__in=places)


class OfRow(admin.SimpleListFilter):
    """One of the rows in reach, by public id."""

    template = "admin/contracts/select_filter.html"
    field = ""

    def rows(self, request):
        raise NotImplementedError

    def label(self, row):
        return str(row)

    def lookups(self, request, model_admin):
        return [(str(row.uuid), self.label(row)) for row in self.rows(request)[:MOST]]

    def has_output(self):
        return True

    def choices(self, changelist):
        """Values for a list to choose from; the list's other filters travel along."""
        self.hidden = [
            (name, value)
            for name, values in changelist.get_filters_params().items()
            if name != self.parameter_name
            for value in (values if isinstance(values, list) else [values])
        ]
        yield {"selected": self.value() is None, "value": "", "display": _("All")}
        for value, title in self.lookup_choices:
            yield {"selected": self.value() == str(value), "value": value, "display": title}

    def chosen(self, request):
        try:
            return self.rows(request).filter(uuid=uuid.UUID(self.value())).first()
        except ValueError:
            return None

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        row = self.chosen(request)
        return queryset.filter(**{self.field: row.pk}) if row else queryset.none()


class TeamFilter(OfRow):
    title = _("team")
    parameter_name = "team"
    field = "team"

    def rows(self, request):
        rows = (
            Team.objects.visible_to(request.user)
            .select_related("institution")
            .order_by("institution__path", "name")
        )
        code = request.GET.get("institution", "")
        place = code and Institution.objects.under(request.user.institution).filter(code=code).first()
        return rows.filter(institution__path__startswith=place.path) if place else rows

    def label(self, row):
        return f"{row.institution.short_name} {row.name}"


class DoctorFilter(OfRow):
    title = _("family doctor")
    parameter_name = "doctor"
    field = "doctor"

    def rows(self, request):
        members = TeamMember.objects.family_doctors().filter(
            team__in=TeamFilter.rows(self, request).values("pk")
        )
        return User.objects.filter(pk__in=members.values("person")).order_by("name")


class PackageFilter(OfRow):
    title = _("service package")
    parameter_name = "package"

    def rows(self, request):
        return Package.objects.visible_to(request.user).order_by("kind", "code")

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        row = self.chosen(request)
        if row is None:
            return queryset.none()
        versions = list(row.versions.values_list("pk", flat=True))
        packages = AgreementPackage.objects.filter(agreement=OuterRef("pk"), version__in=versions)
        return queryset.filter(Exists(packages))


class LightFilter(admin.SimpleListFilter):
    """How many days are left, in the steps of the lights; or over, and nothing follows."""

    title = _("about to end")
    parameter_name = "light"

    def lookups(self, request, model_admin):
        days = [(str(days), _("within %(n)d days") % {"n": days}) for days in settings.CONTRACTS_LIGHTS]
        return [*days, (LAPSED, _("lapsed, nothing follows"))]

    def queryset(self, request, queryset):
        value, today = self.value(), timezone.localdate()
        if not value:
            return queryset
        if value == LAPSED:
            return lapsed(queryset)
        if value not in map(str, settings.CONTRACTS_LIGHTS):
            return queryset.none()
        later = Agreement.objects.filter(follows=OuterRef("pk"), state__in=ALIVE)
        last = today + timedelta(days=int(value))
        return queryset.filter(~Exists(later), state__in=IN_FORCE, end__gte=today, end__lte=last)


def lapsed(rows):
    """Expired, and the resident has no other agreement."""
    other = Agreement.objects.filter(resident=OuterRef("resident"), state__in=ALIVE)
    return rows.filter(~Exists(other), state=AgreementState.EXPIRED)


class ServedFilter(admin.SimpleListFilter):
    title = _("services so far")
    parameter_name = "served"

    def lookups(self, request, model_admin):
        return [("no", _("signed, not served yet")), ("yes", _("served"))]

    def queryset(self, request, queryset):
        if self.value() == "no":
            never = Q(last_served_on=None) | Q(last_served_on__lt=F("start"))
            return queryset.filter(never, state__in=IN_FORCE, start__lte=timezone.localdate())
        if self.value() == "yes":
            return queryset.filter(last_served_on__gte=F("start"))
        return queryset
