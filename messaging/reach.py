"""How well messages reach one resident: the last ones, how many arrived, where the number is now, what the resident
agreed to and refused."""

from datetime import datetime

from django.utils import timezone

from clinic.identifiers import mask_phone
from messaging import consent, routing
from messaging.codes import CallState, Carrier, MessageState, Purpose
from messaging.models import CallTask, Message, OptOut
from messaging.progress import DECIDED, percent

SHOWN = 10
# The last so many messages make the rate: what a number did years ago says little.
COUNTED = 50


def of(resident, user, now: datetime | None = None) -> dict:
    """For a resident who was fetched through the gate; five queries.

    ``messages`` (the last ones, with their text) only for whom may read them: not what another institution sent before
    the resident moved here. Sums and consents for whom may see the resident.
    """
    ids = resident.file_ids
    rows = list(
        Message.objects.filter(resident__in=ids)
        .select_related("campaign__institution", "gateway", "institution")
        .order_by("-made_at")[:COUNTED]
    )
    decided = [row for row in rows if row.state in DECIDED]
    arrived = [row for row in decided if row.state == MessageState.DELIVERED]
    return {
        "messages": [row for row in rows if _reads(user, row)][:SHOWN],
        "total": len(rows),
        "delivered": len(arrived),
        "lost": len(decided) - len(arrived),
        "rate": percent(len(arrived), len(decided)),
        "last_reached": max((row.state_at for row in arrived), default=None),
        "consents": _consents(ids),
        **_number(resident, ids, now or timezone.now()),
    }


def _reads(user, message):
    """Message.objects.visible_to, of a row that is in memory."""
    places = (message.institution.path, message.campaign.institution.path)
    return user.has_perm("messaging.view_message") and any(
        path.startswith(user.institution.path) for path in places
    )


def panel(request, resident) -> dict:
    """For the resident's page (clinic.registry.ResidentPanel)."""
    return of(resident, request.user)


def _number(resident, ids, now):
    """The resident's number as it is now."""
    phone = routing.normalise(resident.phone) if resident.phone else None
    if phone is None:
        return {
            "phone": mask_phone(resident.phone),
            "carrier": "",
            "ported": False,
            "opt_out": None,
            "wrong": None,
        }
    learnt = routing.overrides([phone], now)
    wrong = CallTask.objects.filter(
        resident__in=ids, state=CallState.WRONG_NUMBER, message__phone=phone
    ).select_related("done_by")
    return {
        "phone": mask_phone(phone),
        "carrier": Carrier(routing.carrier(phone, learnt)).label,
        "ported": phone in learnt,
        "opt_out": OptOut.objects.filter(phone=phone, ended_at=None).first(),
        "wrong": wrong.order_by("-done_at").first(),
    }


def _consents(ids):
    """(purpose, the last word on it or None) of every purpose but emergencies, which nobody is asked about."""
    said = consent.of(ids)
    return [(purpose, said.get(purpose)) for purpose in Purpose if purpose != Purpose.EMERGENCY]
