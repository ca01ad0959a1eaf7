"""Where apps offer what others show, so that imports run one way. Filled in AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass

from apscheduler.triggers.base import BaseTrigger
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class NavigationItem:
    """A line of the page header: the address's name, its label, who sees it, and how the addresses of all its pages
    begin (empty: it is one page)."""

    url_name: str
    label: str
    permissions: tuple[str, ...]
    roles: frozenset = frozenset()
    pages: str | tuple[str, ...] = ""


navigation: list[NavigationItem] = []


@dataclass(frozen=True)
class TimetableLine:
    """A job that recurs: the dotted path of a django-tasks task, and an APScheduler trigger saying when."""

    name: str
    task: str
    trigger: BaseTrigger


@dataclass(frozen=True)
class Check:
    """A check of ``manage.py verify``: the dotted path of a function(clinic.verification.Scope) that returns a
    ``clinic.verification.Finding``; whether it can look at one institution alone."""

    name: str
    run: str
    by_institution: bool = False


@dataclass(frozen=True)
class ReadinessCheck:
    """A question of ``/readyz``: the dotted path of a function(now) that returns True while all is well."""

    name: str
    run: str


timetable: list[TimetableLine] = []
checks: list[Check] = []
readiness: list[ReadinessCheck] = []
# Dotted paths of functions that ``manage.py prepare`` calls after migrating, as the owner. Harmless to repeat.
preparations: list[str] = []
# Dotted paths of function(staff, residents): each fills its room of the demo district, as the owner, in one transaction
# with the rest; staff is {account: user}, residents are those of the demo station.
demo_rooms: list[str] = []


@dataclass(frozen=True)
class Volume:
    """Rows by the hundred thousand for measuring: ``manage.py seed --<name> N``. ``make`` is the dotted path of a
    function(count, seed) that runs as the owner inside the command's transaction; ``tables`` are what it fills."""

    name: str
    help: str
    make: str
    tables: tuple[str, ...]


volumes: list[Volume] = []


@dataclass(frozen=True)
class DeskTile:
    """A thing a role does first, on the station desk's first page."""

    url_name: str
    label: str
    sentence: str
    permissions: tuple[str, ...]
    order: int = 50


@dataclass(frozen=True)
class ResidentButton:
    """One click on a resident's row at the station desk: a POST to the address, which takes the uuid.

    ``choose`` leads to a page with choices instead (GET). ``own`` ones are not offered for people of other
    institutions, found by an exact number.
    """

    url_name: str
    label: str
    permission: str
    choose: bool = False
    own: bool = False


@dataclass(frozen=True)
class ResidentAction:
    """What a desk does to the residents ticked in its list: ``run(request, residents)`` takes the rows as a QuerySet
    and returns the page that follows. ``request.GET`` holds the list's filters; ``select_across`` in the POST says
    that all of them are meant."""

    name: str
    label: str
    permission: str
    run: Callable


desk_tiles: list[DeskTile] = []
resident_buttons: list[ResidentButton] = []
resident_actions: list[ResidentAction] = []


@dataclass(frozen=True)
class ResidentPanel:
    """A part of the resident's page that another app fills: ``build(request, resident)`` returns a
    dict that the template reads as ``panel``, or None where there is nothing to show. Seen with the permission
    only."""

    template: str
    permission: str
    build: Callable
    order: int = 50


resident_panels: list[ResidentPanel] = []


@dataclass(frozen=True)
class Badge:
    """A word in the resident's banner that leads somewhere. ``kind``: plain, warn, sign (a button)."""

    label: str
    kind: str
    address: str
    title: str = ""


# function(resident, user, row numbers of the whole file) → list[Badge], in one query.
banner_badges: list[Callable] = []
# function(residents, first day or None, last day or None) → those of them with a visit on these days.
visit_filters: list[Callable] = []
# One click on the resident's page and in the search's results (POST, a fresh ``key`` in the form).
page_buttons: list[ResidentButton] = []
# function(survivor, absorbed) → the sentence why these two rows cannot be merged now, or None.
merge_checks: list[Callable] = []
# Dotted paths of function(path of one of our pages) → the address of the inquiry about what was lost there, or None.
# Whoever keeps tickets asks ``inquiry_link``.
inquiry_links: list[str] = []


# Dotted paths of function(user, since) → [plain facts of this person's failed saves, the newest first], no text of a
# patient: {"at", "status", "code", "request", "fields"}. Whoever keeps tickets brings them along.
failed_saves: list[str] = []


def failed_saves_of(user, since) -> list[dict]:
    return [facts for path in failed_saves for facts in import_string(path)(user, since)]


# Dotted paths of function(since, until) → {name: count} of what happened in the house in that time: "saves", "saves_failed".
counted_in: list[str] = []


def counts_of(since, until) -> dict[str, int]:
    return {name: count for path in counted_in for name, count in import_string(path)(since, until).items()}


# Dotted paths of function(now) → [clinic.page_notices.PageNotice] that pages show at their top.
page_notices: list[str] = []
# Dotted paths of function(since, until, paths of institutions) → {hour (aware): visits that began to wait in it}.
visit_traffic: list[str] = []


def visits_by_hour(since, until, paths) -> dict:
    found: dict = {}
    for path in visit_traffic:
        for hour, count in import_string(path)(since, until, paths).items():
            found[hour] = found.get(hour, 0) + count
    return found


# Dotted paths of function(user, day) → [{"at", "name", "facts", "state"}] of those who are expected or wait in the user's own
# institution; of the rows that this person may see, the earliest first.
waiting_lists: list[str] = []


def waiting_rows(user, day) -> list[dict]:
    return [row for path in waiting_lists for row in import_string(path)(user, day)]


# Dotted paths of function(user) → (sentence, address) or None: what somebody who has just signed in is told, once.
welcomes: list[str] = []


def welcome(user) -> list[tuple[str, str]]:
    return [told for path in welcomes if (told := import_string(path)(user))]


# Dotted paths of function(institution, day) → [{"name", "initials", "facts", "allergies", "problems", "medicines", "today"}] of
# those whom the institution may expect: plain texts for its encrypted file, made by a job.
kit_lists: list[str] = []


def kit_rows(institution, day) -> list[dict]:
    return [row for path in kit_lists for row in import_string(path)(institution, day)]


# {role: name of the address} of roles that begin elsewhere than at the doctors' day or the station desk.
first_pages: dict[str, str] = {}


def inquiry_link(path: str) -> str | None:
    """Where one inquires after a record that was lost on this page; None where nobody knows."""
    return next((found for link in inquiry_links if (found := import_string(link)(path))), None)
