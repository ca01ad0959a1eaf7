"""Filters of the lists. Choices are told apart by code or word, never by row number."""

from datetime import datetime, time, timedelta

from django.contrib import admin
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from clinic.codes import KeyPopulation
from clinic.models import Institution


class InstitutionFilter(admin.SimpleListFilter):
    """An institution of the user's own reach and all below it, by its code."""

    title = _("institution")
    parameter_name = "institution"
    path = "institution__path"

    def lookups(self, request, model_admin):
        mine = Institution.objects.under(request.user.institution)
        return [(row.code, row.short_name) for row in mine.order_by("path")]

    def has_output(self):
        """Where there is a choice."""
        return len(self.lookup_choices) > 1

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        chosen = Institution.objects.under(request.user.institution).filter(code=self.value()).first()
        return queryset.filter(**{f"{self.path}__startswith": chosen.path}) if chosen else queryset.none()


class HomeFilter(InstitutionFilter):
    title = _("home institution")

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        reach = Institution.objects.under(request.user.institution)
        chosen = reach.filter(code=self.value()).first()
        return queryset.filter(home__in=reach.under(chosen).values("pk")) if chosen else queryset.none()


class KeyTagFilter(admin.SimpleListFilter):
    title = _("key population")
    parameter_name = "tag"

    def lookups(self, request, model_admin):
        return KeyPopulation.choices

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        return queryset.filter(key_tags__tag=self.value(), key_tags__until=None)


class AgeFilter(admin.SimpleListFilter):
    """Age bands as community doctors count them."""

    title = _("age")
    parameter_name = "age"
    BANDS = {
        "0-6": (0, 6),
        "7-17": (7, 17),
        "18-59": (18, 59),
        "60-64": (60, 64),
        "65-79": (65, 79),
        "80-": (80, 150),
    }

    def lookups(self, request, model_admin):
        return [(band, band.replace("-", "–")) for band in self.BANDS]

    def queryset(self, request, queryset):
        if self.value() not in self.BANDS:
            return queryset
        youngest, oldest = self.BANDS[self.value()]
        today = timezone.localdate()
        return queryset.filter(
            birth_date__gt=_years_before(today, oldest + 1), birth_date__lte=_years_before(today, youngest)
        )


def _years_before(day, years):
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, month=2, day=28)


class TextFilter(admin.SimpleListFilter):
    """A box to type in. The list's other parameters travel along as hidden fields."""

    template = "admin/text_filter.html"
    input_type = "text"

    def lookups(self, request, model_admin):
        return ()

    def has_output(self):
        return True

    def choices(self, changelist):
        params = changelist.get_filters_params()
        yield {
            "hidden": [
                (name, value)
                for name, values in params.items()
                if name != self.parameter_name
                for value in (values if isinstance(values, list) else [values])
            ],
            "query": changelist.query,
            "value": self.value() or "",
        }


class DayFilter(TextFilter):
    """One end of a span of days, in the clinic's own time zone."""

    input_type = "date"
    field = "at"
    ends = False

    def queryset(self, request, queryset):
        day = _day(self.value())
        if day is None:
            return queryset if not self.value() else queryset.none()
        try:
            moment = timezone.make_aware(datetime.combine(day + timedelta(days=self.ends), time.min))
        except OverflowError:  # the last day there is has no morrow
            return queryset
        return queryset.filter(**{f"{self.field}__{'lt' if self.ends else 'gte'}": moment})


class FromDay(DayFilter):
    title = _("from day")
    parameter_name = "from"


class ToDay(DayFilter):
    title = _("to day")
    parameter_name = "to"
    ends = True


def _day(text):
    try:
        return parse_date(text or "")
    except ValueError:
        return None
