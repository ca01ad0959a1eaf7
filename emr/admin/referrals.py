"""The desk's way to the pages of referrals, for those who have no page of their own day."""

from django.utils.translation import gettext_lazy as _

from clinic import registry
from clinic.registry import DeskTile

registry.desk_tiles.append(
    DeskTile(
        "referrals",
        _("Referrals"),
        _("Referrals of the institution and what came back"),
        ("emr.view_referral",),
        45,
    )
)
