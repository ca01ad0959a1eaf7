"""A draft goes on from the page where it was typed: kept, put before the resident, or signed at once."""

from django.db import transaction
from django.utils import timezone

from contracts.actions import agreements as acts
from contracts.codes import AgreementState
from contracts.models import Agreement

S = AgreementState
# Of the terms that agreements.make takes, those that a draft may change.
CHANGING = ("start", "years", "team", "doctor", "way", "text", "representative", "phone", "address", "note", "versions")  # fmt: skip


def carry_on(*, agreement, terms, state, key, by, request=None, now=None):
    """Give the draft the ``terms`` (as agreements.make takes them), then move it to ``state``: all or nothing. The same
    ``key`` again, once it is signed, changes nothing. Codes as agreements.make; Conflict code: state."""
    now = now or timezone.now()
    shared = {"by": by, "request": request, "now": now}
    with transaction.atomic():
        acts.lock_people([agreement.resident])
        if agreement.signatures.filter(uuid=key).exists():
            return Agreement.objects.get(pk=agreement.pk)
        row = acts.change(agreement=agreement, **{name: terms[name] for name in CHANGING}, **shared)
        if state == S.DRAFT:
            return row
        row = acts.put(agreement=row, **shared)
        if state == S.PENDING:
            return row
        signed = {name: terms.get(name) for name in ("signature", "signer", "read")}
        return acts.sign(agreement=row, key=key, **signed, **shared)
