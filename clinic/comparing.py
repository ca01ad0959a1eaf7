"""Two rows of one person side by side, before they are merged."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic.models import Resident

COMPARED = (
    "name", "sex", "birth_date", "id_type", "masked_id", "masked_phone", "record_number", "home", "community",
    "address", "ethnicity", "marital", "occupation", "employer", "insurance", "household", "life_state",
    "created_at",
)  # fmt: skip
LABELS = {"masked_id": gettext_lazy("ID number"), "masked_phone": gettext_lazy("phone")}


@dataclass(frozen=True)
class Pair:
    label: str
    left: str
    right: str

    @property
    def differs(self):
        return self.left != self.right


def pairs(left, right):
    return [Pair(_label(name), _shown(left, name), _shown(right, name)) for name in COMPARED]


def _label(name):
    return str(LABELS.get(name) or Resident._meta.get_field(name).verbose_name)


def _shown(resident, name):
    display = getattr(resident, f"get_{name}_display", None)
    value = display() if display else getattr(resident, name)
    if isinstance(value, datetime):
        value = f"{timezone.localtime(value):%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)
