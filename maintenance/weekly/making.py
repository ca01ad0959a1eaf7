"""The job that makes last week's report, and those of the weeks before it that nobody made."""

from django.utils import timezone

from maintenance.actions import reports
from maintenance.models import WeeklyReport
from maintenance.weekly import figures

# So many weeks are caught up with.
BACK = 3


def make_missing(now=None) -> int:
    """Returns how many were made. Harmless to repeat."""
    now = now or timezone.now()
    this, done = figures.monday_of(timezone.localdate(now)), 0
    for n in range(BACK, 0, -1):
        monday = this - figures.WEEK * n
        if not WeeklyReport.objects.filter(monday=monday).exists():
            reports.make(monday=monday, now=now)
            done += 1
    return done
