"""Proof that what was signed is what is there: walk every institution's chain of seals, recompute each hash from the
rows, check each signature, compare the chains with their anchors, and look for what has no seal.

Every broken row is named, up to twenty. Nothing here needs quiet: what it reads is frozen, and the order of reading
(rows before files, ends before links) keeps work that goes on meanwhile from looking like tampering.
"""

from collections import defaultdict

from django.db import connection
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import anchors, linking
from clinic.models import Institution
from clinic.verification import Finding, Scope
from emr.models import Seal, SealAnchor
from emr.sealing import adoption as seal_adoption
from emr.sealing import chain as seal_chain
from emr.sealing import faults, strays
from emr.sealing import keys as seal_keys
from emr.sealing import rows as seal_rows
from emr.sealing.broken import Broken

BATCH = 2000
SEAL = ", ".join(f"b.{name}" for name in seal_chain.FIELDS)
SEALED = f"{SEAL}, {seal_rows.COLUMNS}"
LINKED = (
    f"SELECT l.position, l.hash, {SEALED} FROM emr_seallink l LEFT JOIN emr_seal b ON b.id = l.seal_id"  # noqa: S608 - own names
    f" {seal_rows.JOINS} WHERE l.institution_id = %s AND l.position > %s AND l.position <= %s"
    " ORDER BY l.position LIMIT %s"
)
UNLINKED = (
    f"SELECT {SEALED} FROM emr_seal b {seal_rows.JOINS} WHERE b.id > %s"  # noqa: S608 - own names
    " AND (%s::bigint IS NULL OR b.institution_id = %s)"
    " AND NOT EXISTS (SELECT 1 FROM emr_seallink l WHERE l.seal_id = b.id) ORDER BY b.id LIMIT %s"
)


def seals(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check of the seals, for registry.checks. Memory does not grow with the record."""
    check = _Check(scope)
    try:
        check.run()
    except anchors.AnchorFileError as error:
        return Finding(
            False,
            _("Line %(line)d of the anchor file %(file)s cannot be read.")
            % {"line": error.number, "file": error.path},
        )
    if check.broken:
        return Finding(False, check.broken.text())
    return Finding(True, check.summary(), check.notes)


class _Check:
    def __init__(self, scope):
        self.scope, self.broken, self.notes = scope, Broken(), []
        self.done, self.total, self.waiting = 0, 0, 0
        self.only = scope.institution and scope.institution.pk
        self.holes = []  # (institution, number of the seal before, of the one after) of each gap

    def run(self):
        marks = self.marks()
        self.house_keys = self.keys()
        low = seal_chain.LINKER.low()
        ends = seal_chain.heads([self.only] if self.only else None)
        self.total = sum(position for position, _hash in ends.values())
        for place in sorted({*ends, *marks}):
            self.chain(place, ends.get(place, (0, ""))[0], marks.get(place, {}))
        self.tail(low)
        self.adoption()
        if self.only is None:
            strays.look(self.broken)

    def keys(self):
        """Ids of the house's keys. Without the file nothing would be the house's: one sentence, not thousands."""
        # The rows before the file: a key is registered before it seals.
        sealed = Seal.objects.exists()
        found = seal_keys.registered()
        if sealed and not found:
            self.broken.add(
                _("The file %(file)s is missing: nothing says which keys are this house's.")
                % {"file": anchors.path(seal_keys.REGISTER)}
            )
            return None
        return found

    def summary(self):
        return ngettext(
            "Seals: %(count)d signed version in the chains, none broken.",
            "Seals: %(count)d signed versions in the chains, none broken.",
            self.done,
        ) % {"count": self.done}

    # The anchors ----------------------------------------------------------------------------------

    def marks(self):
        """{institution: {position: (day, hash)}} of the file's lines, with which the database must agree."""
        # The rows before the file: a row is written after its line.
        rows = list(SealAnchor.objects.order_by("day", "institution"))
        lines = anchors.read(anchors.SEALS)
        numbers = {str(uuid): pk for pk, uuid in Institution.objects.values_list("pk", "uuid")}
        marks, filed = defaultdict(dict), {}
        for line in lines:
            place = numbers.get(line.institution)
            if place is None:
                self.broken.add(
                    _("The anchors name an institution that is not there: %(uuid)s.")
                    % {"uuid": line.institution}
                )
            marks[place][line.position] = line.day, line.hash
            filed[place, line.day] = line.position, line.hash
        marks.pop(None, None)
        for row in rows:
            if self.only not in (None, row.institution_id):
                continue
            self._compare(row, filed.get((row.institution_id, row.day)))
        return {place: found for place, found in marks.items() if self.only in (None, place)}

    def _compare(self, row, line):
        facts = {
            "file": anchors.path(anchors.SEALS), "day": row.day, "institution": self.broken.place(row.institution_id),
        }  # fmt: skip
        if line is None:
            self.broken.add(
                _(
                    "The anchor file %(file)s has no line for %(institution)s of %(day)s, although the database"
                    " says it was written."
                )
                % facts
            )
        elif line != (row.position, row.hash):
            self.broken.add(
                _("The anchor of %(institution)s of %(day)s differs between the file and the database.")
                % facts
            )

    # The chains -----------------------------------------------------------------------------------

    def chain(self, place, last, marks):
        """Walk one institution's chain. Each link is judged by the stored hash of the one before it, so that one
        broken row does not drag all that follow along."""
        position, previous, before = 0, linking.GENESIS, 0
        while position < last:
            rows = _fetch(LINKED, [place, position, last, BATCH])
            for at, given, *rest in rows:
                if at != position + 1:
                    self.gap(place, position + 1, at - 1)
                    self.holes.append((place, before, rest[0] or before))
                    previous = None
                self.link(place, at, previous, given, rest, marks.get(at))
                position, previous, before = at, given, rest[0] or before
            self.done += len(rows)
            self.scope.progress(self.done, self.total)
        furthest = max(marks, default=0)
        if furthest > last:
            self.broken.add(
                _(
                    "%(institution)s: the chain ends at position %(last)d, but the anchor of %(day)s names position"
                    " %(position)d: the end was cut off."
                )
                % {
                    "institution": self.broken.place(place),
                    "last": last,
                    "position": furthest,
                    "day": marks[furthest][0],
                }  # fmt: skip
            )

    def gap(self, place, first, last):
        facts = {"institution": self.broken.place(place), "first": first, "last": last}
        self.broken.add(
            _("%(institution)s: position %(first)d of the chain is missing: a seal was deleted.") % facts
            if first == last
            else _(
                "%(institution)s: positions %(first)d to %(last)d of the chain are missing: seals were deleted."
            )
            % facts
        )

    def link(self, place, position, previous, given, rest, mark):
        sealed, row = _split(rest)
        facts = {"institution": self.broken.place(place), "position": position}
        if sealed["id"] is None:
            self.broken.add(_("%(institution)s: the seal at position %(position)d was deleted.") % facts)
            return
        if sealed["institution_id"] != place or (
            previous is not None and linking.link_hash(previous, position, sealed) != given
        ):
            found = _("its seal (position %(position)d of the chain) was changed, inserted or moved.")
            self.broken.version(row, found % facts)
        elif mark and mark[1] != given:
            found = _("the chain was written anew: position %(position)d differs from the anchor of %(day)s.")
            self.broken.version(row, found % {**facts, "day": mark[0]})
        self.version(sealed, row)

    def tail(self, low):
        """Seals without a link: the last minute's, and those that came in behind the chain's back."""
        newest = Seal.objects.aggregate(last=Max("pk"))["last"] or 0
        if newest < low:
            self.broken.add(
                _("The last seals were deleted: numbers above %(newest)d were linked up to %(low)d.")
                % {"newest": newest, "low": low}
            )
        last = 0
        while rows := _fetch(UNLINKED, [last, self.only, self.only, BATCH]):
            for values in rows:
                sealed, row = _split(values)
                last = sealed["id"]
                if last <= low or self.fits_a_hole(sealed):
                    found = _(
                        "its seal has no place in the chain: it was inserted later, or its link deleted."
                    )
                    self.broken.version(row, found)
                else:
                    self.waiting += 1
                self.version(sealed, row)
        self.notes.append(
            _("%(count)d seals wait for their link (a job links them every half minute).")
            % {"count": self.waiting}
        )

    def fits_a_hole(self, sealed):
        return any(
            place == sealed["institution_id"] and before < sealed["id"] < after
            for place, before, after in self.holes
        )

    # One version ----------------------------------------------------------------------------------

    def version(self, sealed, row):
        """Whether the rows still say what was sealed, and whether the house sealed it."""
        if self.house_keys is not None and sealed["key_id"] not in self.house_keys:
            # Perhaps a key that was taken into use since we began.
            self.house_keys |= seal_keys.registered()
        fault = faults.of(sealed, row, self.house_keys)
        if fault and fault.missing_key:
            self.broken.missing_keys[fault.missing_key] += 1
        elif fault:
            self.broken.version(row, fault.sentence)

    # Adoption -------------------------------------------------------------------------------------

    def adoption(self):
        """What has no seal: older than the seals and waiting for its adoption, or inserted."""
        # The anchors before the state: adoption opens or closes before the first of them.
        anchored = bool(anchors.read_lines(anchors.SEALS))
        state = seal_adoption.state()
        if not state.closed and (state.opened or not anchored):
            if count := seal_adoption.count_unsealed():
                self.notes.append(
                    _("%(count)d notes from before there were seals wait for theirs.") % {"count": count}
                )
            return
        if not state.opened:
            self.broken.add(
                _(
                    "The file %(file)s is missing: nothing says that notes of old were sealed once and for all."
                )
                % {"file": anchors.path(seal_adoption.FILE)}
            )
        for row in seal_adoption.unsealed():
            if self.only not in (None, row.institution_id):
                continue
            self.broken.version(row, _("it has no seal: it was inserted, or its seal was deleted."))


def _fetch(sql, values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _split(values):
    """(the seal as a dict, the version)"""
    width = len(seal_chain.FIELDS)
    return dict(zip(seal_chain.FIELDS, values[:width], strict=True)), seal_rows.Sealed(*values[width:])
