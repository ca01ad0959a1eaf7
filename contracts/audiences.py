"""Whom messages about agreements go to: offered to the campaigns (messaging.audiences)."""

import uuid
from datetime import date

from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from contracts import reminders
from contracts.forms.audience import EndingForm, TeamForm, UnservedForm
from contracts.models import Agreement
from contracts.served import unserved
from messaging import audiences


def register():
    for name, label, agreements, needed, given, form in (
        (
            "agreements-ending",
            gettext_lazy("agreements that end between two days"),
            _ending,
            DAYS,
            TEAM,
            EndingForm,
        ),
        ("team-residents", gettext_lazy("residents of a team"), _of_team, TEAM, {}, TeamForm),
        ("not-served", gettext_lazy("signed but not served"), _not_served, {}, TEAM, UnservedForm),
    ):
        audiences.register(
            name, label, _resolver(agreements), check=_checker({**needed, **given}, needed),
            variables=reminders.VARIABLES, values=_values_of(agreements), form=form,
        )  # fmt: skip


def _is_day(value):
    try:
        day = parse_date(value)
    except (TypeError, ValueError):
        return False
    return day is not None and 2000 <= day.year <= 2100


def _is_uuid(value):
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False


DAYS = {"first": _is_day, "last": _is_day}
TEAM = {"team": _is_uuid}


def _checker(known, needed):
    def check(audience):
        for name, value in audience.items():
            if name != "source" and not (name in known and (value in (None, "") or known[name](value))):
                raise Refused(
                    _("This choice of residents cannot be read: %(word)s") % {"word": str(name)[:40]},
                    code="audience",
                )
        if any(audience.get(name) in (None, "") for name in needed):
            raise Refused(_("Please choose who gets the message."), code="audience")
        if audience.get("first") and audience["first"] > audience["last"]:
            raise Refused(_("The end lies before the beginning."), code="audience")

    return check


def _resolver(agreements):
    def resolve(audience, rows):
        # Whose file was merged into another one is reached there.
        people = agreements(audience).annotate(person=Coalesce("resident__merged_into", "resident"))
        return rows.filter(pk__in=people.values("person"))

    return resolve


def _values_of(agreements):
    def values(audience, ids):
        today = timezone.localdate()
        rows = agreements(audience).filter(Q(resident__in=ids) | Q(resident__merged_into__in=ids))
        rows = rows.select_related("team", "doctor", "institution", "resident").order_by("end")
        return {
            row.resident.merged_into_id or row.resident_id: reminders.values_of(row, today) for row in rows
        }

    return values


def _chosen(audience, rows):
    return rows.filter(team__uuid=audience["team"]) if audience.get("team") else rows


def _ending(audience):
    first, last = (date.fromisoformat(audience[name]) for name in ("first", "last"))
    return _chosen(audience, Agreement.objects.expiring(first, last))


def _of_team(audience):
    return _chosen(audience, Agreement.objects.in_force())


def _not_served(audience):
    return _chosen(audience, unserved(Agreement.objects.in_force()))
