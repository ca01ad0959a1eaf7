"""What time does to agreements: the dead are let go the same day, what nobody signed is taken back, the last day passes
(rules B4.7). Each step is a chunk in its own transaction; cut off anywhere, the next run goes on."""

import time
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_update_with_history

from clinic.codes import LifeState
from clinic.errors import Conflict
from clinic.models import Institution
from contracts import practice
from contracts.actions import agreements as acts
from contracts.codes import IN_FORCE, ONCE_IN_FORCE, AgreementState, EndReason
from contracts.models import Agreement, PlanItem

S = AgreementState
STEP = 500
ENDING = ["state", "ended_on", "ended_at"]


def tend(now=None) -> int:
    """Everything that is due; returns how many agreements moved."""
    now = now or timezone.now()
    return let_go_of_the_dead(now) + take_back_the_unsigned(now) + pass_last_days(now)


def let_go_of_the_dead(now) -> int:
    """Live agreements of those who died, under whichever file, at most a step's worth."""
    died = LifeState.DECEASED
    rows = Agreement.objects.alive().select_related("resident__merged_into")
    rows = rows.filter(Q(resident__life_state=died) | Q(resident__merged_into__life_state=died))
    today, clock = timezone.localdate(now), _clock(now)
    rows = list(rows.order_by("pk")[:STEP])
    for row in rows:
        if row.state == S.PENDING:
            with suppress(Conflict):  # signed this very second: the next run ends it
                acts.take_back(agreement=row, by=None)
            continue
        dead = row.resident if row.resident.life_state == died else row.resident.survivor
        last = min(max(dead.life_state_on or today, row.start - timedelta(days=1)), row.end, today)
        with suppress(Conflict):  # ended this very second
            acts.end(agreement=row, reason=EndReason.DECEASED, by=None, on=last, now=clock())
    return len(rows)


def _clock(now):
    """``now``, going on: an end has the time of its own moment (within a minute), and a run may take longer."""
    begun = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - begun)


def take_back_the_unsigned(now) -> int:
    """What was put before somebody who did not sign it in the practice's days: it keeps the resident from others."""
    pending = Agreement.objects.filter(state=S.PENDING)
    places = Institution.objects.filter(pk__in=pending.values("institution"))
    done = 0
    for place in places.order_by("pk"):
        old = Q(made_at__lt=now - timedelta(days=practice.of(place).pending_days))
        for row in pending.filter(old | Q(end__lt=timezone.localdate(now)), institution=place).order_by("pk")[
            :STEP
        ]:
            with suppress(Conflict):  # signed this very second
                acts.take_back(agreement=row, by=None)
                done += 1
    return done


def pass_last_days(now) -> int:
    """Agreements whose last day has passed are renewed, where another follows, or expired."""
    today, done, clock = timezone.localdate(now), 0, _clock(now)
    while count := _pass_some(today, clock()):
        done += count
    return done


@transaction.atomic
def _pass_some(today, now):
    rows = Agreement.objects.filter(state__in=IN_FORCE, end__lt=today).order_by("pk")
    rows = list(rows.select_for_update(skip_locked=True, of=("self",))[:STEP])
    if not rows:
        return 0
    begun = Q(ended_on=None) | Q(ended_on__gte=F("start"))  # a renewal that was ended before it began is none
    later = Agreement.objects.filter(begun, follows=OuterRef("pk"), state__in=ONCE_IN_FORCE)
    ids = [row.pk for row in rows]
    renewed = set(Agreement.objects.filter(Exists(later), pk__in=ids).values_list("pk", flat=True))
    for row in rows:
        row.state = S.RENEWED if row.pk in renewed else S.EXPIRED
        row.ended_on, row.ended_at = row.end, now
    bulk_update_with_history(rows, Agreement, ENDING, batch_size=STEP)
    PlanItem.objects.filter(agreement__in=ids, due_to__gt=today).close(today)
    return len(rows)


def merge_obstacle(survivor, absorbed) -> str | None:
    """One person has one live agreement (the constraint agreement_one_alive holds per row only)."""
    alive = Agreement.objects.alive()
    if (
        alive.filter(resident__in=survivor.record_ids()).exists()
        and alive.filter(resident__in=absorbed.record_ids()).exists()
    ):
        return _("Both have a live agreement with a family doctor. Please end one first.")
    return None
