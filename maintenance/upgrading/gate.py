"""The gate: what is still missing before an upgrade may begin, each as a sentence."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from maintenance.codes import UpgradeState
from maintenance.models import UpgradeSite

U = UpgradeState
# From here on what came before is done.
ASSESSED = (U.ASSESSED, U.APPROVED, U.ANNOUNCED)
APPROVED = (U.APPROVED, U.ANNOUNCED)


@dataclass(frozen=True)
class Line:
    """One thing that must be: its name, whether it is, and what to do about it."""

    name: str
    met: bool
    missing: str = ""


def lines(upgrade, now, sites=None) -> list[Line]:
    """Every line of the gate. One query, none with ``sites``."""
    if sites is None:
        sites = list(UpgradeSite.objects.filter(upgrade=upgrade).select_related("institution"))
    silent = [site for site in sites if site.acknowledged_at is None and site.overridden_at is None]
    names = "、".join(site.institution.short_name for site in silent[:8])
    return [
        Line(_("impact and roll-back are written"), bool(upgrade.impact and upgrade.roll_back), _("Write the impact and how it is rolled back.")),
        Line(_("rehearsed"), upgrade.rehearsed_on is not None, _("Enter when it was rehearsed and what that showed.")),
        Line(_("emergency plan attached"), upgrade.plan_id is not None, _("Attach the emergency plan.")),
        Line(_("assessed"), upgrade.assessed_at is not None and upgrade.state in ASSESSED, _("It waits for its assessment.")),
        Line(_("approved by somebody else than the author"), upgrade.approved_at is not None and upgrade.state in APPROVED, _("It waits for its approval.")),
        Line(_("announced"), upgrade.state == U.ANNOUNCED, _("It has not been announced yet.")),
        Line(_("institutions named"), bool(sites), _("Name the institutions that it affects.")),
        Line(_("acknowledged by every institution"), bool(sites) and not silent, _("Not acknowledged yet by: %(names)s") % {"names": names}),
        Line(_("within its window"), upgrade.starts_at <= now < upgrade.ends_at, _("The window is from %(since)s to %(until)s.") % window_words(upgrade)),
    ]  # fmt: skip


def window_words(upgrade) -> dict:
    return {
        "since": timezone.localtime(upgrade.starts_at).strftime("%m-%d %H:%M"),
        "until": timezone.localtime(upgrade.ends_at).strftime("%m-%d %H:%M"),
    }


# What has to be before the assessment: the later lines follow from acts.
WRITTEN = 3
