"""How long a file is kept: fifteen years from the last visit (电子病历应用管理规范 art. 19, rules B2.4).

The end is computed from the visits each time: a later visit puts it off. Nothing is deleted when it comes.
"""

from calendar import monthrange
from datetime import date, datetime, time

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils import timezone

from clinic.models import Institution
from emr.codes import EncounterStatus
from emr.models import Encounter, RetentionLine

BATCH = 1000


def retain_until(last_visit: date) -> date:
    """The last day of keeping. Where the month has no such day it ends with the month (民法典 art. 202)."""
    year = last_visit.year + settings.RETENTION_YEARS
    day = min(last_visit.day, monthrange(year, last_visit.month)[1])
    return last_visit.replace(year=year, day=day)


def visits():
    """What counts as a visit: those that took place, or still may today."""
    return Encounter.objects.exclude(status=EncounterStatus.CANCELLED)


def last_visit(record_ids) -> date | None:
    """The day of the file's last visit; ``record_ids`` are the rows of the person."""
    newest = visits().filter(resident__in=record_ids).order_by("-arrived_at")
    at = newest.values_list("arrived_at", flat=True).first()
    return at and timezone.localdate(at)


def panel(request, resident) -> dict:
    """Until when the file is kept, for the resident's page."""
    last = last_visit(resident.file_ids)
    return {"kept_until": last and retain_until(last)}


def month_of(day: date) -> date:
    return day.replace(day=1)


def span(month: date) -> tuple[datetime, datetime]:
    """From when until before when the last visits lie whose time of keeping ends in this month. Months meet
    months: the odd days of a leap year stay in February."""
    year = month.year - settings.RETENTION_YEARS
    following = date(year + month.month // 12, month.month % 12 + 1, 1)
    return tuple(
        timezone.make_aware(datetime.combine(day, time.min))
        for day in (date(year, month.month, 1), following)
    )


def falls_due(month: date, institution):
    """The last visits of the files that end in this month, made at this institution: one row per file, with
    ``file``, the number of the resident's row that stands for the person.

    Begins at the visits of that month fifteen years ago (index encounter_institution) and asks for each
    whether the person came later, under whatever row and wherever (index encounter_resident).
    """
    begin, end = span(month)
    later = visits().filter(arrived_at__gt=OuterRef("arrived_at"))
    return (
        visits()
        .filter(institution=institution, arrived_at__gte=begin, arrived_at__lt=end)
        .annotate(file=Coalesce("resident__merged_into", "resident"))
        .filter(
            ~Exists(later.filter(resident=OuterRef("file"))),
            ~Exists(later.filter(resident__merged_into=OuterRef("file"))),
        )
        .order_by("file", "-pk")
        .distinct("file")
    )


def write_list(month: date) -> int:
    """Write the month's list, institution by institution; return how many lines it has. Run again it adds what
    is missing: a file stands there once, with the institution of its last visit."""
    for institution in Institution.objects.order_by("pk"):
        due = falls_due(month, institution).values_list("file", "arrived_at")
        lines = [_line(month, institution, file, at) for file, at in due]
        RetentionLine.objects.bulk_create(lines, batch_size=BATCH, ignore_conflicts=True)
    return RetentionLine.objects.filter(month=month).count()


def visited_since():
    """A condition on RetentionLine: the person has come since, under whatever row. Then the file's time goes
    on, whatever the list says."""
    newer = visits().filter(arrived_at__date__gt=OuterRef("last_visit"))
    file = Coalesce(OuterRef("resident__merged_into"), OuterRef("resident"))
    return Exists(newer.filter(resident=file)) | Exists(newer.filter(resident__merged_into=file))


def _line(month, institution, file, at):
    day = timezone.localdate(at)
    return RetentionLine(
        month=month, resident_id=file, institution=institution, last_visit=day, retain_until=retain_until(day)
    )
