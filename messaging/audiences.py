"""Ways to choose residents. Other apps offer theirs with ``register`` in their AppConfig.ready()."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import registry
from clinic.codes import Insurance, KeyPopulation, Sex
from clinic.errors import Refused
from clinic.models import Community, Institution, KeyTag, Resident
from messaging import texts

# Ticked in a list; more are meant by a filter.
MOST_TICKED = 5000
MOST_PLACES = 1000
OLDEST = 150


def _nothing(audience):
    pass


def _no_values(audience, ids):
    return {}


@dataclass(frozen=True)
class Source:
    """``resolve(audience, rows)`` narrows the residents of the campaign's institution. ``check(audience)`` raises
    Refused for words it does not know. ``variables``: {name: label} of what its texts may name beside
    texts.VARIABLES; ``values(audience, ids)`` → {resident's row number: {name: value}} for some of them.
    ``form``: a Django form made with ``user=`` that asks for the audience's words on the page of a new campaign; its
    ``audience()`` returns them as plain JSON once it is valid."""

    name: str
    label: str
    resolve: Callable
    check: Callable = _nothing
    variables: dict = field(default_factory=dict)
    values: Callable = _no_values
    form: type | None = None


sources: dict[str, Source] = {}


def register(name, label, resolve, **more):
    """``more``: check, variables, values, form of Source."""
    source = sources[name] = Source(name, label, resolve, **more)
    texts.offer(**source.variables)


def source_of(audience) -> Source:
    """Refused code "audience" where nobody offers it, or its words are none of its source's."""
    known = isinstance(audience, dict) and isinstance(audience.get("source"), str)
    source = sources.get(audience["source"]) if known else None
    if source is None:
        raise Refused(_("Please choose who gets the message."), code="audience")
    source.check(audience)
    return source


def resolve(audience, institution):
    """The residents meant, of the institution and all below it, as a QuerySet. Refused code "audience"."""
    source = source_of(audience)
    places = Institution.objects.under(institution)
    rows = Resident.objects.current().filter(home__in=places.values("pk"))
    return source.resolve(audience, rows)


def values(audience, ids) -> dict[int, dict[str, str]]:
    """What the audience's source knows of these residents, for the text. At most one query for most sources."""
    source = source_of(audience)
    return source.values(audience, ids) if source.variables else {}


# By criteria ---------------------------------------------------------------------------------------------------------


def _refuse(name):
    raise Refused(
        _("This choice of residents cannot be read: %(word)s") % {"word": str(name)[:40]}, code="audience"
    )


def _list_of(good, most):
    def check(value):
        return isinstance(value, list) and len(value) <= most and all(map(good, value))

    return check


def _one_of(codes):
    return lambda value: isinstance(value, str) and value in codes.values


def _is_uuid(value):
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


def _is_age(value):
    return value is None or (type(value) is int and 0 <= value <= OLDEST)


def _is_day(value):
    try:
        day = parse_date(value)
    except (TypeError, ValueError):
        return False
    return day is not None and 1900 <= day.year <= 2200


CRITERIA = {
    "places": _list_of(_is_uuid, MOST_PLACES), "communities": _list_of(_is_uuid, MOST_PLACES),
    "tags": _list_of(_one_of(KeyPopulation), len(KeyPopulation)),
    "insurance": _list_of(_one_of(Insurance), len(Insurance)), "sex": _one_of(Sex), "age_from": _is_age,
    "age_to": _is_age, "visited_from": _is_day, "visited_to": _is_day,
}  # fmt: skip


def _check_criteria(audience):
    for name, value in audience.items():
        if name != "source" and not (name in CRITERIA and (value in (None, "", []) or CRITERIA[name](value))):
            _refuse(name)


def _by_criteria(audience, rows):
    today = timezone.localdate()
    if places := audience.get("places"):
        rows = rows.filter(home__in=Institution.objects.filter(uuid__in=places).values("pk"))
    if communities := audience.get("communities"):
        rows = rows.filter(community__in=Community.objects.filter(uuid__in=communities).values("pk"))
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


# Ticked -------------------------------------------------------------------------------------------------------------


def _check_ticked(audience):
    for name, value in audience.items():
        if name != "source" and (name != "residents" or not _list_of(_is_uuid, MOST_TICKED)(value)):
            _refuse(name)


def _by_hand(audience, rows):
    return rows.filter(uuid__in=audience.get("residents", []))


register("criteria", gettext_lazy("by criteria"), _by_criteria, check=_check_criteria)
register("selection", gettext_lazy("ticked in the list"), _by_hand, check=_check_ticked)
