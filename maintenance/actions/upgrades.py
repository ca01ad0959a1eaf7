"""An upgrade from its draft to its review. Locks: upgrade, its sites."""

from contextlib import contextmanager

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from maintenance import breaches
from maintenance.codes import UPGRADE_MOVES, NoticeKind, UpgradeState
from maintenance.models import Upgrade, UpgradeSite
from maintenance.upgrading import gate, notices

U = UpgradeState
FIELDS = (
    "release", "modules", "what", "impact", "roll_back", "plan", "starts_at", "ends_at", "rehearsed_on", "rehearsal", "responsible",
)  # fmt: skip
CHANGING = (U.DRAFT, U.ASSESSED, U.APPROVED)
LONGEST, LONGEST_REASON = 4000, 300


def plan(*, key, by, sites: dict, now=None, request=None, **fields) -> Upgrade:
    """A draft; the same ``key`` makes one. ``sites``: {institution: businesses}. Refused codes: window, sites."""
    _may(by, "maintenance.add_upgrade")
    _check_window(fields["starts_at"], fields["ends_at"], now)
    with transaction.atomic():
        if known := Upgrade.objects.filter(uuid=key).first():
            return known
        made = Upgrade.objects.create(uuid=key, author=by, **{name: fields[name] for name in FIELDS})
        _set_sites(made, sites)
        audit.record(Act.CREATE, by=by, request=request, obj=made)
        return made


def change(*, upgrade, by, sites: dict, now=None, request=None, **fields) -> Upgrade:
    """Before it is announced; what was assessed or approved is a draft again. Refused code: window; Conflict code: state."""
    _may(by, "maintenance.change_upgrade")
    _check_window(fields["starts_at"], fields["ends_at"], now)
    with _held(upgrade) as row:
        if row.state not in CHANGING:
            raise Conflict(_("It has been announced: move its window, or cancel it."), code="state")
        for name in FIELDS:
            setattr(row, name, fields[name])
        row.state, row.assessed_by, row.assessed_at, row.approved_by, row.approved_at = (
            U.DRAFT,
            None,
            None,
            None,
            None,
        )
        _set_sites(row, sites)
        audit.record(Act.CHANGE, by=by, request=request, obj=row)
    return row


def assess(*, upgrade, by, now=None, request=None) -> Upgrade:
    """Refused code: gate, with what is not written yet."""
    _may(by, "maintenance.assess_upgrade")
    with _held(upgrade) as row:
        missing = [
            one.missing for one in gate.lines(row, now or timezone.now())[: gate.WRITTEN] if not one.met
        ]
        if missing:
            raise Refused(" ".join(missing), code="gate")
        _move(row, U.ASSESSED)
        row.assessed_by, row.assessed_at = by, now or timezone.now()
        audit.record(Act.DECIDE, by=by, request=request, obj=row, detail={"state": str(row.state)})
    return row


def approve(*, upgrade, by, now=None, request=None) -> Upgrade:
    """By somebody else than the author. Refused code: author."""
    _may(by, "maintenance.approve_upgrade")
    with _held(upgrade) as row:
        if row.author_id == by.pk:
            raise Refused(_("Somebody else than the author approves."), code="author")
        _move(row, U.APPROVED)
        row.approved_by, row.approved_at = by, now or timezone.now()
        audit.record(Act.DECIDE, by=by, request=request, obj=row, detail={"state": str(row.state)})
    return row


def announce(*, upgrade, by, now=None, request=None) -> Upgrade:
    """On everybody's pages and by message to each institution's contacts. Refused code: sites."""
    _may(by, "maintenance.run_upgrade")
    now = now or timezone.now()
    with _held(upgrade) as row:
        if not UpgradeSite.objects.filter(upgrade=row).exists():
            raise Refused(_("Name the institutions that it affects."), code="sites")
        _check_window(row.starts_at, row.ends_at, now)
        _move(row, U.ANNOUNCED)
        row.announced_at = now
        _announce(row, NoticeKind.COMING, now)
        audit.record(Act.SEND, by=by, request=request, obj=row)
    return row


def acknowledge(*, site, by, now=None, request=None) -> UpgradeSite:
    """Somebody of the institution, or of the centre above it, knows."""
    _may(by, "maintenance.acknowledge_upgrade")
    with _held(site.upgrade) as row:
        held = _site(site, by)
        if row.state != U.ANNOUNCED:
            raise Conflict(_("It is not announced, or has begun already."), code="state")
        if held.acknowledged_at is None:
            held.acknowledged_by, held.acknowledged_at = by, now or timezone.now()
            held.save()
            audit.record(
                Act.DECIDE, by=by, request=request, obj=row, detail={"acknowledged": held.institution.code}
            )
    return held


def override(*, site, by, reason, now=None, request=None) -> UpgradeSite:
    """The district goes on without an institution's word, with reason; audited. Refused code: reason."""
    _may(by, "maintenance.override_upgrade")
    reason = _text(reason, LONGEST_REASON, "reason")
    with _held(site.upgrade) as row:
        held = _site(site, by)
        if row.state != U.ANNOUNCED:
            raise Conflict(_("It is not announced, or has begun already."), code="state")
        held.overridden_by, held.overridden_at, held.override_reason = by, now or timezone.now(), reason
        held.save()
        audit.record(
            Act.DECIDE,
            by=by,
            request=request,
            obj=row,
            reason=reason,
            detail={"overridden": held.institution.code},
        )
    return held


def move(*, upgrade, by, starts_at, ends_at, now=None, request=None) -> Upgrade:
    """Another window: announced anew, and everybody acknowledges anew. Refused code: window; Conflict code: state."""
    _may(by, "maintenance.run_upgrade")
    now = now or timezone.now()
    _check_window(starts_at, ends_at, now)
    with _held(upgrade) as row:
        if row.state != U.ANNOUNCED:
            raise Conflict(_("It is not announced, or has begun already."), code="state")
        row.starts_at, row.ends_at = starts_at, ends_at
        for site in UpgradeSite.objects.select_for_update().filter(upgrade=row):
            site.acknowledged_by = site.acknowledged_at = site.overridden_by = site.overridden_at = (
                site.reminded_at
            ) = None
            site.override_reason = ""
            site.save()
        _announce(row, NoticeKind.MOVED, now)
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"window": starts_at.isoformat()})
    return row


def begin(*, upgrade, by, now=None, request=None) -> Upgrade:
    """The gate. Refused code: gate, with every line that is missing."""
    _may(by, "maintenance.run_upgrade")
    now = now or timezone.now()
    with _held(upgrade) as row:
        if row.state == U.RUNNING:
            raise Conflict(_("It has begun already."), code="state")
        missing = [one.missing for one in gate.lines(row, now) if not one.met]
        if missing:
            raise Refused(" ".join(missing), code="gate")
        _move(row, U.RUNNING)
        row.began_at = now
        notices.put(row, NoticeKind.RUNNING, now)
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"state": str(row.state)})
    return row


def finish(*, upgrade, by, now=None, request=None) -> Upgrade:
    """Over; it is watched from now on."""
    _may(by, "maintenance.run_upgrade")
    now = now or timezone.now()
    with _held(upgrade) as row:
        _move(row, U.WATCHING)
        row.finished_at = now
        notices.put(row, NoticeKind.OVER, now)
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"state": str(row.state)})
    return row


def roll_back(*, upgrade, by, reason, now=None, request=None) -> Upgrade:
    """Back to what was before, with reason; the contract's clause is charged. Refused code: reason."""
    _may(by, "maintenance.run_upgrade")
    reason, now = _text(reason, LONGEST_REASON, "reason"), now or timezone.now()
    with _held(upgrade) as row:
        _move(row, U.ROLLED_BACK)
        row.ended_at, row.end_note = now, reason
        notices.put(row, NoticeKind.OVER, now)
        audit.record(
            Act.CHANGE, by=by, request=request, obj=row, reason=reason, detail={"state": str(row.state)}
        )
    breaches.of_upgrade(row, now)
    return row


def close(*, upgrade, by, review, now=None, request=None) -> Upgrade:
    """After the watch, with the review written. Refused code: review."""
    _may(by, "maintenance.run_upgrade")
    review = _text(review, LONGEST, "review")
    with _held(upgrade) as row:
        _move(row, U.CLOSED)
        row.review, row.ended_at = review, now or timezone.now()
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"state": str(row.state)})
    return row


def cancel(*, upgrade, by, reason, now=None, request=None) -> Upgrade:
    """It does not take place; who was told of it is told. Refused code: reason."""
    _may(by, "maintenance.run_upgrade")
    reason, now = _text(reason, LONGEST_REASON, "reason"), now or timezone.now()
    with _held(upgrade) as row:
        announced = row.state == U.ANNOUNCED
        _move(row, U.CANCELLED)
        row.ended_at, row.end_note = now, reason
        if announced:
            _announce(row, NoticeKind.CANCELLED, now)
        audit.record(Act.CANCEL, by=by, request=request, obj=row, reason=reason)
    return row


@contextmanager
def _held(upgrade):
    with transaction.atomic():
        row = Upgrade.objects.select_for_update().get(pk=upgrade.pk)
        yield row
        row.save()


def _site(site, by):
    held = UpgradeSite.objects.select_for_update().select_related("institution").get(pk=site.pk)
    if not held.institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not yours."), code="elsewhere")
    return held


def _move(row, state):
    if state not in UPGRADE_MOVES[U(row.state)]:
        raise Conflict(
            _("It is “%(now)s” and cannot become “%(then)s”.") % {"now": row.get_state_display(), "then": state.label}, code="state"
        )  # fmt: skip
    row.state = state


def _announce(row, kind, now):
    made = notices.put(row, kind, now)
    notices.message(row, made.words, f"{kind} {row.starts_at.isoformat()}", now)


def _set_sites(row, sites):
    known = {one.institution_id: one for one in UpgradeSite.objects.select_for_update().filter(upgrade=row)}
    wanted = {institution.pk: (institution, businesses) for institution, businesses in sites.items()}
    for gone in known.keys() - wanted.keys():
        known[gone].delete()
    for number, (institution, businesses) in wanted.items():
        one = known.get(number) or UpgradeSite(upgrade=row, institution=institution)
        one.businesses = list(businesses)
        one.save()


def _check_window(starts_at, ends_at, now):
    if ends_at <= starts_at:
        raise Refused(_("The window ends before it begins."), code="window", field="ends_at")
    if starts_at < (now or timezone.now()):
        raise Refused(_("The window lies in the past."), code="window", field="starts_at")


def _may(by, right):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."))


def _text(text, longest, field):
    text = text.strip()
    if not text:
        raise Refused(_("Please write something."), code=field, field=field)
    if len(text) > longest:
        raise Refused(_("At most %(n)d characters.") % {"n": longest}, code=field, field=field)
    return text
