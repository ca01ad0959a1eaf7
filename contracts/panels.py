"""What other pages show of agreements: a badge in the resident's banner, a part of the resident's page."""

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.codes import LifeState
from clinic.registry import Badge
from contracts.codes import ALIVE, IN_FORCE, AgreementState, WhyNot
from contracts.models import Agreement, HomeVisit
from contracts.reminders import light_of

SHOWN = 5
VISITS = 3
# Nobody refuses so often that the one in force is not among them.
ASKED = 20
TO_SIGN = (AgreementState.DRAFT, AgreementState.PENDING)


def badges(resident, user, ids) -> list[Badge]:
    """Team and term; where there is neither, the way to sign now. One query (clinic.registry.banner_badges)."""
    if not user.has_perm("contracts.view_agreement"):
        return []
    today = timezone.localdate()
    alive = [row for row in _latest(resident, user, ids) if row.state in ALIVE and row.end >= today]
    row = min(alive, key=lambda row: row.start, default=None)
    if row is not None:
        return [_badge(row, today)]
    if resident.life_state != LifeState.LIVING or not user.has_perm("contracts.sign_agreement"):
        return []
    return [
        Badge(
            _("Sign now"), "sign", reverse("sign-resident", args=[resident.uuid]), _("No family doctor yet")
        )
    ]


def _badge(row, today):
    address = reverse("agreement", args=[row.uuid])
    if row.state == AgreementState.PENDING:
        return Badge(_("Waiting for signature: %(team)s") % {"team": row.team}, "warn", address)
    facts = {"team": row.team, "doctor": row.doctor.name, "day": date_format(row.end, "Y-m-d")}
    label, light = _("%(team)s · %(doctor)s until %(day)s") % facts, light_of(row.days_left(today))
    if light:
        label += " · " + _("ends within %(days)s days") % {"days": light}
    return Badge(label, "warn" if light else "plain", address, row.number)


def _latest(resident, user, ids=None):
    """The file's newest agreements, asked for once for banner and panel of one page."""
    if not hasattr(resident, "latest_agreements"):
        rows = Agreement.objects.visible_to(user).filter(resident__in=ids or resident.file_ids)
        rows = rows.select_related("team", "doctor", "institution").order_by("-start", "-pk")
        resident.latest_agreements = list(rows[:ASKED])
    return resident.latest_agreements


def panel(request, resident) -> dict:
    """For the resident's page (clinic.registry.ResidentPanel): the last agreements and what can be done."""
    user, today = request.user, timezone.localdate()
    rows = _latest(resident, user)[:SHOWN]
    signs = user.has_perm("contracts.sign_agreement") and resident.life_state == LifeState.LIVING
    for row in rows:
        row.to_sign = (
            signs and row.state in TO_SIGN and row.institution.path.startswith(user.institution.path)
        )
        row.light = light_of(row.days_left(today)) if row.state in IN_FORCE else None
    return {
        "agreements": rows,
        "may_sign": signs and not any(row.is_alive for row in rows),
        "whys": [choice for choice in WhyNot.choices if choice[0] != WhyNot.OTHER],
        "household": signs and resident.household_id is not None,
        "may_visit": user.has_perm("contracts.add_homevisit") and resident.life_state == LifeState.LIVING,
        "home_visits": HomeVisit.objects.visible_to(user).filter(resident__in=resident.file_ids)[:VISITS],
    }
