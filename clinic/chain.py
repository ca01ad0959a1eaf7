"""The hash chain over the audit trail: who changes, removes, adds or reorders an entry afterwards is found.

Entries are inserted without a lock; a job links them in batches (``AuditLink``, clinic.linking): position, entry,
and SHA-256 over the hash before and the entry's canonical text. Once a day the last link goes to a file outside
the database (``settings.ANCHORS``), so that even the database's owner cannot cut the tail or write the chain anew
unseen.
"""

from django.db import transaction
from django.utils import timezone

from clinic import anchors, linking
from clinic.linking import GENESIS, link_hash
from clinic.models import AuditAnchor, AuditEntry, AuditLink

HEAD = "audit_chain"


def _link(rows):
    position, previous = head()
    links = []
    for entry in rows:
        position += 1
        previous = link_hash(previous, position, entry)
        links.append(AuditLink(position=position, entry_id=entry["id"], hash=previous))
    AuditLink.objects.bulk_create(links)


LINKER = linking.Linker(HEAD, AuditEntry, _link, "at")
FIELDS = LINKER.fields
chain_all = LINKER.run
low = LINKER.low
unchained = LINKER.waiting
behind = LINKER.behind


def head() -> tuple[int, str]:
    """Position and hash of the last link."""
    last = AuditLink.objects.order_by("-position").values_list("position", "hash").first()
    return last or (0, GENESIS)


@transaction.atomic
def anchor(day=None) -> AuditAnchor | None:
    """Write the last link to the file outside the database, once a day; None while there is no link.

    The file first, then the row: after a crash between the two, the file's line is taken over.
    """
    day = day or timezone.localdate()
    LINKER.lock()
    if known := AuditAnchor.objects.filter(day=day).first():
        return known
    position, last = head()
    if not position:
        return None
    written = next((line for line in anchors.read() if line.day == day), None)
    if written is None:
        written = anchors.append(day, position, last)
    return AuditAnchor.objects.create(day=day, position=written.position, hash=written.hash)
