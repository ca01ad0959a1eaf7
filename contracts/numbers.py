"""Numbers of agreements: institution, year, serial, without a gap that nobody can explain."""

from contracts.models import AgreementCounter


def take(institution, year, count=1) -> list[str]:
    """The next ``count`` numbers, "S0101-2026-000731". Inside the caller's transaction, as its last lock."""
    AgreementCounter.objects.get_or_create(institution=institution, year=year)
    counter = AgreementCounter.objects.select_for_update().get(institution=institution, year=year)
    first = counter.last + 1
    counter.last += count
    counter.save(update_fields=["last"])
    return [f"{institution.code}-{year}-{serial:06d}" for serial in range(first, first + count)]
