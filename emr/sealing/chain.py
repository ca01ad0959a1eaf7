"""The chain over an institution's seals: a seal that is changed, removed, added or reordered is found.

Seals are inserted without a lock, so that doctors of one institution do not queue; a job links them within a minute
(clinic.linking), one chain an institution. Once a day the ends of the chains that grew go to a file outside the
database, so that even the database's owner cannot cut a tail or write a chain anew unseen.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from clinic import anchors, linking
from clinic.linking import GENESIS, link_hash
from clinic.models import Institution
from emr.models import Seal, SealAnchor, SealLink

HEAD = "seal_chain"


def heads(institutions=None) -> dict[int, tuple[int, str]]:
    """{institution: (position, hash) of its last link}; without the argument, of all that have one."""
    if institutions is None:
        institutions = Institution.objects.values_list("pk", flat=True)
    found = {}
    # One look into the index each: a DISTINCT over all links would read them all.
    for institution in institutions:
        last = SealLink.objects.filter(institution=institution).order_by("-position")
        if row := last.values_list("position", "hash").first():
            found[institution] = row
    return found


def _link(rows):
    ends = heads({row["institution_id"] for row in rows})
    links = []
    for row in rows:
        place = row["institution_id"]
        position, previous = ends.get(place, (0, GENESIS))
        ends[place] = position + 1, link_hash(previous, position + 1, row)
        links.append(
            SealLink(institution_id=place, position=position + 1, seal_id=row["id"], hash=ends[place][1])
        )
    SealLink.objects.bulk_create(links)


LINKER = linking.Linker(HEAD, Seal, _link, "sealed_at")
FIELDS = LINKER.fields
chain_all = LINKER.run
behind = LINKER.behind


def follows(now) -> bool:
    """The readiness question: no seal has waited for its link for minutes."""
    return not behind(now)


@transaction.atomic
def anchor(day=None) -> int:
    """Write the ends of the chains that grew since their last anchor to the file, once a day; return how many.

    The file first, then the rows: after a crash between the two, the file's lines are taken over.
    """
    day = day or timezone.localdate()
    LINKER.lock()
    done = set(SealAnchor.objects.filter(day=day).values_list("institution", flat=True))
    names = dict(Institution.objects.values_list("pk", "uuid"))
    due = {place: end for place, end in heads(set(names) - done).items() if not _anchored(place, end)}
    filed = {line.institution: line for line in anchors.read(anchors.SEALS) if line.day == day} if due else {}
    written_at = datetime.isoformat(timezone.now())
    fresh = [
        anchors.Anchor(day, *end, written_at, str(names[place]))
        for place, end in due.items()
        if str(names[place]) not in filed
    ]
    anchors.append_all(fresh, anchors.SEALS)
    filed |= {line.institution: line for line in fresh}
    SealAnchor.objects.bulk_create(_row(place, filed[str(names[place])]) for place in due)
    return len(due)


def _anchored(place, end):
    return SealAnchor.objects.filter(institution=place, position=end[0]).exists()


def _row(place, line):
    return SealAnchor(institution_id=place, day=line.day, position=line.position, hash=line.hash)
