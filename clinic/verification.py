"""Proof that the audit trail is whole: walk the chain, compare it with the anchors, name what is broken first."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import anchors, chain
from clinic.models import AuditAnchor, AuditEntry, AuditLink, Institution

BATCH = 5000


@dataclass(frozen=True)
class Finding:
    """What one check of ``manage.py verify`` found: whether all is well, and in which words."""

    ok: bool
    sentence: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scope:
    """What is asked of a check: one institution or all, and whom to tell how far it is (done, of how many)."""

    institution: Institution | None = None
    progress: Callable[[int, int], None] = lambda _done, _total: None


class Broken(Exception):
    """The first broken row; the message is the sentence about it."""


def audit_trail(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check of the audit trail, for registry.checks. Memory does not grow with the trail."""
    try:
        marks = _read_anchors()
        last, _hash = chain.head()
        _walk(last, marks, scope.progress)
        _end(last, marks)
        _beside_the_chain()
    except Broken as broken:
        return Finding(False, str(broken))
    return Finding(
        True, _("Audit trail: %(count)d entries in the chain, none broken.") % {"count": last}, [_tail()]
    )


def _read_anchors():
    """{position: (day, hash)} of the file's lines and of the database's rows, which must agree."""
    # The rows before the file: a row is written after its line.
    rows = list(AuditAnchor.objects.order_by("day"))
    try:
        lines = anchors.read()
    except anchors.AnchorFileError as error:
        raise Broken(
            _("Line %(line)d of the anchor file %(file)s cannot be read.")
            % {"line": error.number, "file": error.path}
        ) from error
    filed = {line.day: line for line in lines}
    for row in rows:
        line = filed.get(row.day)
        if line is None:
            raise Broken(
                _(
                    "The anchor file %(file)s has no line for %(day)s, although the database says it was written."
                )
                % {"file": anchors.path(), "day": row.day}
            )
        if (line.position, line.hash) != (row.position, row.hash):
            raise Broken(
                _("The anchor of %(day)s differs between the file and the database.") % {"day": row.day}
            )
    return {line.position: (line.day, line.hash) for line in lines}


def _walk(last, marks, progress):
    previous, position = chain.GENESIS, 0
    while position < last:
        links = list(
            AuditLink.objects.filter(position__gt=position, position__lte=last)
            .order_by("position")
            .values_list("position", "entry_id", "hash")[:BATCH]
        )
        entries = {
            entry["id"]: entry
            for entry in AuditEntry.objects.filter(pk__in=[link[1] for link in links])
            .order_by()
            .values(*chain.FIELDS)
        }
        for place, number, given in links:
            position += 1
            _check_link(position, place, number, entries.get(number))
            previous = chain.link_hash(previous, position, entries[number])
            _check_hash(position, entries[number], previous, given, marks.get(position))
        if not links:
            raise Broken(_missing(position + 1))
        progress(position, last)


def _check_link(expected, place, number, entry):
    if place != expected:
        raise Broken(_missing(expected))
    if entry is None:
        raise Broken(
            _("Audit entry %(entry)d (position %(position)d) was deleted.")
            % {"entry": number, "position": place}
        )


def _missing(position):
    return _("Position %(position)d of the audit chain is missing: an entry was deleted.") % {
        "position": position
    }


def _check_hash(position, entry, computed, given, mark):
    where = {
        "entry": entry["id"],
        "position": position,
        "time": f"{timezone.localtime(entry['at']):%Y-%m-%d %H:%M:%S}",
    }
    if computed != given:
        raise Broken(
            _(
                "Audit entry %(entry)d (position %(position)d, %(time)s) does not match its hash:"
                " it was changed, inserted or moved."
            )
            % where
        )
    if mark and mark[1] != computed:
        raise Broken(
            _(
                "Audit entry %(entry)d (position %(position)d, %(time)s) differs from the anchor of %(day)s:"
                " the chain was written anew."
            )
            % {**where, "day": mark[0]}
        )


def _end(last, marks):
    furthest = max(marks, default=0)
    if furthest > last:
        raise Broken(
            _(
                "The audit chain ends at position %(last)d, but the anchor of %(day)s names position %(position)d:"
                " the end was cut off after position %(last)d."
            )
            % {"last": last, "position": furthest, "day": marks[furthest][0]}
        )


def _beside_the_chain():
    """An entry numbered below the mark and without a link came in behind the chain's back."""
    odd = chain.LINKER.beside().values_list("pk", flat=True).first()
    if odd is not None:
        raise Broken(
            _("Audit entry %(entry)d has no place in the chain: it was inserted later.") % {"entry": odd}
        )


def _tail():
    count = chain.unchained().count()
    return _("%(count)d entries wait for their link (a job links them every half minute).") % {"count": count}
