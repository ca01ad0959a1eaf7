"""Reminders before the end of an agreement (rules B4.8): one for each light, by message or on the call list.

The light of an agreement is the least of settings.CONTRACTS_LIGHTS that its days left do not exceed. Who was beyond a
light before it could be reminded of it is reminded of the next: nobody gets three at once.
"""

import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.codes import LifeState
from clinic.errors import Refused
from contracts import practice
from contracts.codes import ALIVE, IN_FORCE, RemindBy, ReminderState
from contracts.models import Agreement, Reminder
from messaging.actions import messages
from messaging.codes import MessageState, Purpose

# What a template for reminders may name beside messaging.texts.VARIABLES.
VARIABLES = {
    "team": gettext_lazy("team"),
    "doctor": gettext_lazy("family doctor"),
    "team_phone": gettext_lazy("the team's phone"),
    "last_day": gettext_lazy("last day of the agreement"),
    "days": gettext_lazy("days left"),
}
STEP = 200
# A run takes so many seconds at the most; the next one goes on.
SECONDS = 45
# So long nobody knows what became of a message: then somebody calls.
DOUBT = timedelta(days=3)


def light_of(days_left) -> int | None:
    """The light that burns with so many days left; None while none does, and when the term is over."""
    if days_left < 0:
        return None
    return min((light for light in settings.CONTRACTS_LIGHTS if days_left <= light), default=None)


def due(light, today):
    """Agreements under this light that were not reminded of it yet, the nearest end first."""
    lower = max((each for each in settings.CONTRACTS_LIGHTS if each < light), default=-1)
    known = Reminder.objects.filter(agreement=OuterRef("pk"), light=light)
    rows = Agreement.objects.expiring(today + timedelta(days=lower + 1), today + timedelta(days=light))
    return rows.filter(~Exists(known), resident__life_state=LifeState.LIVING).order_by("end", "pk")


def values_of(agreement, today) -> dict[str, str]:
    """What VARIABLES stand for. ``agreement`` with its team and doctor."""
    return {
        "team": agreement.team.name,
        "doctor": agreement.doctor.name,
        "team_phone": agreement.team.phone or agreement.institution.phone,
        "last_day": date_format(agreement.end, "Y-m-d"),
        "days": str(agreement.days_left(today)),
    }


def remind(now=None) -> int:
    """Make the reminders that are due; return how many. Each in its own transaction, under its agreement's lock: cut
    off anywhere, or run by two at once, every light of every agreement has one."""
    now = now or timezone.now()
    today, made, deadline = timezone.localdate(now), 0, time.monotonic() + SECONDS
    choices = {}
    for light in sorted(settings.CONTRACTS_LIGHTS):
        while time.monotonic() < deadline:
            keys = list(due(light, today).values_list("pk", "institution")[:STEP])
            for pk, institution in keys:
                if institution not in choices:
                    choices[institution] = practice.of(Agreement.objects.get(pk=pk).institution)
                made += _remind_one(pk, light, choices[institution], now)
            if len(keys) < STEP:
                break
    return made


@transaction.atomic
def _remind_one(pk, light, choice, now):
    rows = Agreement.objects.select_for_update(of=("self",), skip_locked=True).select_related(
        "team", "doctor", "resident__merged_into", "institution"
    )
    agreement = rows.filter(pk=pk, state__in=IN_FORCE).first()
    if agreement is None or agreement.reminders.filter(light=light).exists():
        return 0
    by = choice.remind_by or (RemindBy.MESSAGE if choice.remind_with else RemindBy.CALL)
    made = Reminder(agreement=agreement, institution=agreement.institution, light=light, by=by, made_at=now)
    if by == RemindBy.NOBODY:
        made.state = ReminderState.MOOT
    elif by == RemindBy.CALL:
        made.state = ReminderState.OPEN
    else:
        _by_message(made, choice.remind_with, now)
    made.save()
    return 1


def _by_message(made, template, now):
    """Queue it; where that cannot be, somebody calls, and reads why."""
    agreement = made.agreement
    try:
        if template is None:
            raise Refused(_("No template is chosen for reminders."), code="template")
        made.message = messages.queue(
            resident=agreement.resident, purpose=Purpose.AGREEMENT, template=template, institution=agreement.institution,
            values=values_of(agreement, timezone.localdate(now)), key=uuid.uuid5(agreement.uuid, f"light {made.light}"),
            now=now,
        )  # fmt: skip
        made.state = ReminderState.QUEUED
    except Refused as refusal:
        made.by, made.state, made.why_call = RemindBy.CALL, ReminderState.OPEN, refusal.message[:100]


def follow_up(now=None) -> int:
    """What became of the messages: those that did not arrive are called. Whose agreement is renewed or over meanwhile
    is called no more. Returns how many changed."""
    now = now or timezone.now()
    later = Agreement.objects.filter(follows=OuterRef("agreement"), state__in=ALIVE)
    waiting = Reminder.objects.filter(state__in=(ReminderState.OPEN, ReminderState.QUEUED))
    moot = waiting.exclude(agreement__state__in=IN_FORCE) | waiting.filter(Exists(later))
    changed = _move(moot, ReminderState.MOOT, now)
    queued = Reminder.objects.filter(state=ReminderState.QUEUED)
    changed += _move(queued.filter(message__state=MessageState.DELIVERED), ReminderState.DONE, now)
    lost = queued.filter(
        message__state__in=(MessageState.FAILED, MessageState.EXPIRED, MessageState.CANCELLED)
    ) | queued.filter(message__state=MessageState.UNKNOWN, message__state_at__lt=now - DOUBT)
    return changed + _move(lost, ReminderState.OPEN, now, _("The message did not arrive."))


def _move(rows, state, now, why=""):
    changed = 0
    for pk in list(rows.values_list("pk", flat=True).order_by(F("pk") + 0)[: STEP * 10]):
        with transaction.atomic():
            row = Reminder.objects.select_for_update(skip_locked=True).filter(
                pk=pk, state__in=(ReminderState.OPEN, ReminderState.QUEUED)
            ).first()  # fmt: skip
            if row is None or row.state == state:
                continue
            row.state, row.why_call = state, why or row.why_call
            if state != ReminderState.OPEN:
                row.done_at = now
            row.save(update_fields=["state", "why_call", "done_at"])
            changed += 1
    return changed
