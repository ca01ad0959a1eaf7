"""What everybody's pages say of upgrades, and the messages to those concerned."""

import uuid
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.page_notices import PageNotice
from maintenance import contacts
from maintenance.codes import Business, NoticeKind, Side
from maintenance.models import Notice, UpgradeSite
from maintenance.upgrading.gate import window_words
from messaging.actions import staff

AFTER = timedelta(hours=24)
LOOKS = {NoticeKind.RUNNING: "running", NoticeKind.OVER: "over", NoticeKind.CANCELLED: "over"}


def shown(now) -> list[PageNotice]:
    """The newest notice of each upgrade while it is shown (clinic.registry.page_notices). Two queries."""
    newest: dict[int, Notice] = {}
    for row in Notice.objects.filter(until__gt=now).select_related("upgrade").order_by("-pk"):
        newest.setdefault(row.upgrade_id, row)
    paths: dict[int, list[str]] = {}
    for site in (
        UpgradeSite.objects.filter(upgrade__in=newest).select_related("institution") if newest else ()
    ):
        paths.setdefault(site.upgrade_id, []).append(site.institution.path)
    return [
        PageNotice(
            LOOKS.get(row.kind, "coming"), row.words, row.until, tuple(paths.get(row.upgrade_id, ())),
            reverse("upgrade", args=[row.upgrade.uuid]),
        )
        for row in newest.values()
    ]  # fmt: skip


def put(upgrade, kind, now) -> Notice:
    """Written with the act it tells of; pages learn of it within seconds."""
    until = (
        upgrade.ends_at + AFTER
        if kind in (NoticeKind.COMING, NoticeKind.MOVED, NoticeKind.RUNNING)
        else now + AFTER
    )
    return Notice.objects.create(
        upgrade=upgrade, kind=kind, words=_words(upgrade, kind), made_at=now, until=max(until, now)
    )


def _words(upgrade, kind):
    facts = {"release": upgrade.release, **window_words(upgrade), "what": _affected(upgrade)}
    sentences = {
        NoticeKind.COMING: _("The system is upgraded to %(release)s from %(since)s to %(until)s. Affected: %(what)s. Please finish and save before."),
        NoticeKind.MOVED: _("The upgrade to %(release)s was moved: now from %(since)s to %(until)s. Affected: %(what)s."),
        NoticeKind.RUNNING: _("The upgrade to %(release)s runs until %(until)s. Affected: %(what)s. What you type is kept in this browser."),
        NoticeKind.OVER: _("The upgrade to %(release)s is over. If something does not work, please report it."),
        NoticeKind.CANCELLED: _("The upgrade to %(release)s does not take place."),
    }  # fmt: skip
    return (sentences[kind] % facts)[:300]


def _affected(upgrade):
    codes = {code for site in UpgradeSite.objects.filter(upgrade=upgrade) for code in site.businesses}
    return "、".join(str(Business(code).label) for code in Business.values if code in codes) or "—"


def message(upgrade, words, what, now, sites=None) -> int:
    """To the contacts of each affected institution, once for each ``what`` and telephone; one that cannot go holds up nobody."""
    told = 0
    rows = (
        UpgradeSite.objects.filter(upgrade=upgrade).select_related("institution") if sites is None else sites
    )
    for site in rows:
        found = contacts.nearest(site.institution, {Side.CENTRE_BUSINESS, Side.CENTRE_IT})
        for call in {call.phone: call for one in found.values() for call in contacts.calls(one)}.values():
            key = uuid.uuid5(upgrade.uuid, f"{what} {call.phone}")
            try:
                staff.tell(
                    phone=call.phone,
                    whose=call.institution,
                    words=words,
                    key=key,
                    institution=site.institution,
                    now=now,
                )
                told += 1
            except Refused:
                continue
    return told


def remind(now=None) -> int:
    """By a job: institutions that have not acknowledged an announced upgrade hear of it once a day until its window."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    rows = UpgradeSite.objects.filter(
        upgrade__state="announced", upgrade__starts_at__gt=now, acknowledged_at=None, overridden_at=None
    )
    done = 0
    for site in rows.select_related("upgrade", "institution"):
        if site.reminded_at is not None and timezone.localdate(site.reminded_at) == today:
            continue
        words = _("Please acknowledge the upgrade to %(release)s on %(since)s in the system.") % {
            "release": site.upgrade.release, **window_words(site.upgrade)
        }  # fmt: skip
        message(site.upgrade, words, f"remind {today}", now, [site])
        site.reminded_at = now
        site.save(update_fields=["reminded_at"])
        done += 1
    return done
