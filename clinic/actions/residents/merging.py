"""One person, two rows. A merge is a pointer: no row moves, and taking the pointer away undoes it.

Pointers are flat: every absorbed row points at the row that stands for the person today, however many
merges lie between. The merges themselves (ResidentMerge) remember the steps, and undoing one works the
pointers out of them anew.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, registry, violations
from clinic.actions.residents.locking import check_home, filled
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident, ResidentMerge


@transaction.atomic
def merge(*, survivor, absorbed, reason, by, request=None):
    """Let ``absorbed`` point at ``survivor`` (at its own survivor, if it has one)."""
    _check_right(by)
    reason = filled(reason, "reason", 200)
    survivor = Resident.objects.get(pk=survivor.pk).survivor
    rows = _lock([survivor.pk, *absorbed.record_ids()])
    survivor, absorbed = rows[survivor.pk], rows[absorbed.pk]
    _refuse_odd_pairs(survivor, absorbed)
    _refuse_newcomers(absorbed, rows)
    check_home(survivor, by)
    check_home(absorbed, by)
    for check in registry.merge_checks:
        if sentence := check(survivor, absorbed):
            raise Refused(sentence, code="busy")
    with violations.told(ResidentMerge):
        made = ResidentMerge.objects.create(survivor=survivor, absorbed=absorbed, by=by, reason=reason)
    for row in rows.values():
        if row.pk != survivor.pk:
            _point(row, survivor)
    detail = {"survivor": str(survivor.uuid), "absorbed": str(absorbed.uuid)}
    for row in (survivor, absorbed):
        audit.record(Act.MERGE, by=by, request=request, resident=row, obj=made, reason=reason, detail=detail)
    return made


@transaction.atomic
def undo_merge(*, merge, reason, by, request=None):
    """Take the pointer away, and let what the row had absorbed itself follow it."""
    _check_right(by)
    reason = filled(reason, "reason", 200)
    standing = Resident.objects.get(pk=merge.absorbed_id).survivor
    rows = _lock([standing.pk, *standing.record_ids()])
    merge = ResidentMerge.objects.select_for_update().get(pk=merge.pk)
    if merge.undone_at or merge.absorbed_id not in rows:
        raise Conflict(_("This merge is undone already."), code="undone")
    _refuse_newcomers(standing, rows)
    check_home(rows[merge.survivor_id], by)
    check_home(rows[merge.absorbed_id], by)
    merge.undone_by, merge.undone_at, merge.undo_reason = by, timezone.now(), reason
    merge.save(update_fields=["undone_by", "undone_at", "undo_reason"])
    _point_anew(rows)
    detail = {"survivor": str(rows[merge.survivor_id].uuid), "absorbed": str(rows[merge.absorbed_id].uuid)}
    for pk in (merge.survivor_id, merge.absorbed_id):
        audit.record(
            Act.UNMERGE, by=by, request=request, resident=rows[pk], obj=merge, reason=reason, detail=detail
        )
    return merge


def _check_right(by):
    if not by.has_perm("clinic.merge_resident"):
        raise Forbidden(_("Your role does not allow this."))


def _lock(pks):
    """All rows in one statement and one order, so that two merges cannot wait for each other."""
    rows = Resident.objects.select_for_update(of=("self",)).select_related("home").order_by("pk")
    return {row.pk: row for row in rows.filter(pk__in=pks)}


def _refuse_odd_pairs(survivor, absorbed):
    if survivor.pk == absorbed.pk:
        raise Refused(_("A row cannot be merged with itself."), code="same")
    if absorbed.merged_into_id == survivor.pk:
        raise Conflict(_("These two rows are merged already."), code="merged")
    if absorbed.merged_into_id or survivor.merged_into_id:
        raise Conflict(_("Somebody merged one of these rows just now. Please look again."), code="merged")


def _refuse_newcomers(standing, rows):
    """A row absorbed between our reading and our lock is not locked: begin again."""
    if set(standing.record_ids()) - set(rows):
        raise Conflict(_("Somebody merged one of these rows just now. Please look again."), code="merged")


def _point(row, survivor):
    row.merged_into = survivor
    with violations.told(Resident), transaction.atomic():
        row.save(update_fields=["merged_into"])


def _point_anew(rows):
    """Pointers as the merges in force say, survivors of merges in between resolved."""
    steps = dict(
        ResidentMerge.objects.filter(undone_at=None, absorbed__in=rows).values_list("absorbed", "survivor")
    )
    for pk, row in rows.items():
        final = pk
        while final in steps:
            final = steps[final]
        target = rows[final] if final != pk else None
        if row.merged_into_id != (target and target.pk):
            _point(row, target)
