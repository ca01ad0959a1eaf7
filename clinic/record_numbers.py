"""Health-record numbers: the neighbourhood's twelve digits and the next of its personal numbers."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic.errors import Refused
from clinic.models import RecordNumberCounter, Resident

LARGEST = 99_999


@transaction.atomic
def take_next(community) -> str:
    """The neighbourhood's next free number, 17 digits. Its counter's row is the lock, held until the caller's
    transaction ends: two clerks never get the same number, and one taken back leaves no gap."""
    return take_many(community, 1)[0]


@transaction.atomic
def take_many(community, count) -> list[str]:
    """As many free numbers at once, for a sheet of newcomers. Numbers above the counter came with an import
    and are passed over."""
    counter = _locked_counter(community.code)
    above = (_build(community.code, counter.last + 1), _build(community.code, LARGEST))
    taken = set(Resident.objects.filter(record_number__range=above).values_list("record_number", flat=True))
    numbers = []
    while len(numbers) < count:
        counter.last += 1
        if counter.last > LARGEST:
            raise Refused(
                _("All record numbers of this neighbourhood are given. Please tell the district."),
                code="full",
            )
        if (number := _build(community.code, counter.last)) not in taken:
            numbers.append(number)
    counter.save(update_fields=["last"])
    return numbers


def _locked_counter(area):
    """Numbers that came with an import stand above the counter: a new counter begins behind them."""
    counters = RecordNumberCounter.objects.select_for_update()
    counter = counters.filter(area=area).first()
    if counter is None:
        RecordNumberCounter.objects.get_or_create(area=area, defaults={"last": _highest(area)})
        counter = counters.get(area=area)
    return counter


def _highest(area):
    numbers = Resident.objects.filter(record_number__startswith=area).order_by("-record_number")
    last = numbers.values_list("record_number", flat=True).first()
    return min(int(last[12:]), LARGEST) if last else 0


def _build(area, number):
    return f"{area}{number:05d}"
