"""What the page of a visit's seals tells: each version's seal, its place in the chain, and whether it holds now."""

from dataclasses import dataclass

from django.db.models import F
from django.utils.translation import gettext as _

from clinic import anchors, linking
from emr.models import Seal, SealLink
from emr.sealing import chain, faults
from emr.sealing import keys as seal_keys
from emr.sealing import rows as seal_rows


@dataclass(frozen=True)
class Checked:
    """``position`` is None until the job has linked it; ``fault`` is empty while the seal holds, ``unsure`` says
    that it cannot be checked here and now."""

    seal: Seal
    version: int
    signer: str
    title: str
    signed_at: object
    position: int | None
    fault: str = ""
    unsure: bool = False


def of(note) -> list[Checked]:
    """Every sealed version, the first one first. Three queries however many."""
    seals = list(
        Seal.objects.filter(note=note)
        .select_related("link")
        .order_by(F("correction__number").asc(nulls_first=True))
    )
    if not seals:
        return []
    rows = seal_rows.of_all([(made.note_id, made.correction_id) for made in seals])
    before, keys = _links_before(seals), _house_keys()
    return [_checked(made, row, before, keys) for made, (row, _code) in zip(seals, rows, strict=True)]


def _checked(made, row, before, keys):
    columns = {name: getattr(made, name) for name in chain.FIELDS}
    link = getattr(made, "link", None)
    fault = faults.of(columns, row, keys)
    if fault is None and link and not _is_linked(link, columns, before):
        fault = faults.Fault(_("the chain was changed at this place."))
    return Checked(
        made, row.version, row.signer, row.signer_title, row.signed_at, link and link.position,
        fault.sentence if fault else "", bool(fault and fault.missing_key),
    )  # fmt: skip


def _is_linked(link, columns, before):
    previous = linking.GENESIS if link.position == 1 else before.get(link.position - 1)
    return previous and linking.link_hash(previous, link.position, columns) == link.hash


def _links_before(seals):
    """{position: hash} of the links that those of the note follow."""
    wanted = [made.link.position - 1 for made in seals if hasattr(made, "link")]
    links = SealLink.objects.filter(institution=seals[0].institution_id, position__in=wanted)
    return dict(links.values_list("position", "hash"))


def _house_keys():
    try:
        return seal_keys.registered() or None
    except anchors.AnchorFileError:
        return None
