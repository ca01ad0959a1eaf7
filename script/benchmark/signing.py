"""Renewing agreements by the thousand, as the job does it. Runs beside gunicorn: ``python -m benchmark.signing COUNT``."""

import sys
import time
import uuid
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402

from clinic.models import User  # noqa: E402
from contracts import batching  # noqa: E402
from contracts.actions import batches  # noqa: E402
from contracts.codes import AgreementState, BatchKind  # noqa: E402
from contracts.models import Agreement, AgreementText  # noqa: E402


def main():
    count = int(sys.argv[1])
    today = timezone.localdate()
    by = User.objects.get(username="manager")
    rows = Agreement.objects.in_scope(by).expiring(today, today + timedelta(days=85))
    rows = rows.filter(state=AgreementState.SIGNED).order_by("pk")
    text = AgreementText.objects.filter(published_at__isnull=False).first()
    orders = {"years": 1, "text": text.pk, "confirmed": True}
    batch = batches.start(
        key=uuid.uuid4(),
        kind=BatchKind.RENEW,
        institution=by.institution,
        agreements=rows.values_list("pk", "resident_id")[:count],
        orders=orders,
        by=by,
    )
    began = time.perf_counter()
    batching.work(batch.pk)
    spent = time.perf_counter() - began
    batch.refresh_from_db()
    print(
        f"\nRenewal of {batch.lines_total:,} agreements: {batch.lines_done:,} done, {batch.lines_refused:,} refused in"
        f" {spent:.1f} s ({batch.lines_total / spent:,.0f} a second, with plans, packages, numbers and history)."
    )


if __name__ == "__main__":
    main()
