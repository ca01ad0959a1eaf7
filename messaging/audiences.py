"""Ways to choose residents. Other apps offer theirs with ``register`` in their AppConfig.ready()."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.errors import Refused
from clinic.models import Institution, KeyTag, Resident


@dataclass(frozen=True)
class Source:
    """``resolve(audience, rows)`` narrows the residents of the campaign's institution."""

    name: str
    label: str
    resolve: Callable


sources: dict[str, Source] = {}


def register(name, label, resolve):
    sources[name] = Source(name, label, resolve)


def resolve(audience, institution):
    """The residents meant, of the institution and all below it, as a QuerySet. Refused code "audience"."""
    source = sources.get(audience.get("source", ""))
    if source is None:
        raise Refused(_("Please choose who gets the message."), code="audience")
    places = Institution.objects.under(institution)
    rows = Resident.objects.current().filter(home__in=places.values("pk"))
    return source.resolve(audience, rows)


def _by_criteria(audience, rows):
    today = timezone.localdate()
    if places := audience.get("places"):
        rows = rows.filter(home__in=Institution.objects.filter(uuid__in=map(uuid.UUID, places)).values("pk"))
    if tags := audience.get("tags"):
        tagged = KeyTag.objects.filter(tag__in=tags, until=None)
        rows = rows.filter(pk__in=tagged.values("resident"))
    if sex := audience.get("sex"):
        rows = rows.filter(sex=sex)
    if insurance := audience.get("insurance"):
        rows = rows.filter(insurance__in=insurance)
    if (youngest := audience.get("age_from")) is not None:
        rows = rows.filter(birth_date__lte=_years_before(today, youngest))
    if (oldest := audience.get("age_to")) is not None:
        rows = rows.filter(birth_date__gt=_years_before(today, oldest + 1))
    first, last = (parse_date(audience.get(name) or "") for name in ("visited_from", "visited_to"))
    if first or last:
        for narrow in registry.visit_filters:
            rows = narrow(rows, first, last)
    return rows


def _years_before(day: date, years):
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, month=2, day=28)


def _by_hand(audience, rows):
    return rows.filter(uuid__in=[uuid.UUID(text) for text in audience.get("residents", [])])


register("criteria", gettext_lazy("by criteria"), _by_criteria)
register("selection", gettext_lazy("ticked in the list"), _by_hand)
