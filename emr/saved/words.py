"""The time line's sentences, and the names of fields as people know them."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.codes import Act
from emr.codes import FaultSource
from emr.models import Note

KIND_LABELS = {
    "visit": gettext_lazy("visit"),
    "saves": gettext_lazy("saves"),
    "versions": gettext_lazy("signatures and versions"),
    "faults": gettext_lazy("failed saves and faults"),
    "sign_ins": gettext_lazy("sign-ins"),
    "reads": gettext_lazy("reading and printing"),
}
TOLD = {
    "check-in": gettext_lazy("Checked in"),
    "start": gettext_lazy("Visit started"),
    "finished": gettext_lazy("Visit finished"),
    "signed": gettext_lazy("Note signed"),
}
OF_CORRECTION = {
    "correction-opened": gettext_lazy("Correction %(n)d opened: %(reason)s"),
    "correction-withdrawn": gettext_lazy("Correction %(n)d withdrawn"),
    "correction-signed": gettext_lazy("Correction %(n)d signed: %(reason)s"),
}
# What an entry of the trail gives as its reason, where it is one of our own words.
REASONS = {
    "start": gettext_lazy("taken up"),
    "hold": gettext_lazy("put on hold"),
    "idle": gettext_lazy("after a time without doing anything"),
    "password": gettext_lazy("wrong password"),
}
FAULTS = {
    "stale": gettext_lazy("Refused: another window had saved meanwhile"),
    "signed": gettext_lazy("Refused: the note was signed already"),
    "cancelled": gettext_lazy("Refused: the visit was cancelled"),
    "withdrawn": gettext_lazy("Refused: the correction was withdrawn"),
    "invalid": gettext_lazy("Refused: some of it cannot be saved as it is"),
    "unstorable": gettext_lazy("Refused: a character that cannot be stored"),
    "json": gettext_lazy("Refused: the request was unreadable"),
    "form": gettext_lazy("Refused: the request had another form"),
    "key": gettext_lazy("Refused: the key stands for another save"),
    "author": gettext_lazy("Refused: another doctor writes this note"),
    "incomplete": gettext_lazy("Not signed: entries were missing"),
    "copied": gettext_lazy("Not signed: copied text was not confirmed"),
    "unchanged": gettext_lazy("Not signed: nothing was changed"),
    "password": gettext_lazy("Not signed: wrong password"),
    "locked": gettext_lazy("Not signed: too many wrong passwords"),
    "leave": gettext_lazy("Not signed: the leave is missing"),
    "sign": gettext_lazy("Not signed: no answer from the server"),
    "page": gettext_lazy("The page itself had a fault"),
    "signed-out": gettext_lazy("Not saved: signed out meanwhile"),
}


def fields(names) -> str:
    """ "主诉、体征": labels of fields, without that of the marks unless it stands alone."""
    known = [name for name in Note.DRAFT_FIELDS if name in names]
    plain = [name for name in known if name != "marks"] or known
    return _("、").join(str(Note._meta.get_field(name).verbose_name) for name in plain)


def of_saves(row) -> str:
    told = ngettext(
        "%(count)d save, %(signs)d characters, version %(last)d",
        "%(count)d saves, %(signs)d characters, versions %(first)d–%(last)d",
        row["count"],
    )
    return told % {name: row[name] for name in ("count", "signs", "first", "last")}


def of_fault(fault) -> str:
    if fault.code in FAULTS:
        return str(FAULTS[fault.code])
    if fault.status == 0:
        return _("Not saved: the server did not answer")
    if fault.status >= 500:
        return _("Not saved: the server had a fault")
    return _("Refused by the server")


def fault_facts(fault) -> list[str]:
    source = FaultSource(fault.source).label
    told = [_("told by %(source)s") % {"source": source}, fields(fault.fields)]
    if fault.characters:
        told.append(
            ngettext("%(n)d character", "%(n)d characters", fault.characters) % {"n": fault.characters}
        )
    if fault.version is not None:
        told.append(_("on version %(n)d") % {"n": fault.version})
    if fault.attempts > 1:
        told.append(_("%(n)d attempts") % {"n": fault.attempts})
    return [part for part in [*told, fault.request_id] if part]


def of_trail(entry) -> str:
    act = Act(entry.act).label if entry.act in Act.values else entry.act
    reason = str(REASONS.get(entry.reason, entry.reason))
    return _("%(act)s: %(reason)s") % {"act": act, "reason": reason} if reason else str(act)


def of_visit(what, visit) -> str:
    if what == "cancelled":
        return _("Visit cancelled: %(reason)s") % {"reason": visit.cancel_reason}
    return str(TOLD[what])


def of_correction(what, row) -> str:
    return OF_CORRECTION[what] % {"n": row.number, "reason": row.reason}


def of_review(review) -> str:
    return _("Review: %(decision)s") % {"decision": review.get_decision_display()}
