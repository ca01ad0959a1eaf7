"""Messages: building an audience, end to end against the same frames without a database, with a stalled gateway beside
it, and what a campaign under way costs a doctor who types. Runs beside gunicorn: ``python -m benchmark.messages``
RECIPIENTS MESSAGES SECONDS.
"""

import os
import resource
import subprocess
import sys
import time
import uuid

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmark import sending  # noqa: E402
from benchmark.carrier import CarrierProcess  # noqa: E402
from clinic import postgres  # noqa: E402
from clinic.models import Institution, Resident  # noqa: E402
from messaging import building  # noqa: E402
from messaging.codes import Purpose  # noqa: E402
from messaging.models import Campaign, Message  # noqa: E402

# Recipients beyond the residents that are there: copies of one, each with a number of its own.
MORE = """
INSERT INTO clinic_resident ({columns}) SELECT {values} FROM clinic_resident r, generate_series(1, %s) AS n
WHERE r.id = %s
"""
OWN = {
    "uuid": "gen_random_uuid()", "household_id": "NULL", "household_relation": "''", "life_state": "'living'", "record_number": "NULL", "id_number": "''", "id_reversed": "''",
    "phone": "'139' || lpad(n::text, 8, '0')", "phone_reversed": "reverse('139' || lpad(n::text, 8, '0'))",
    "home_id": "(ARRAY(SELECT id FROM clinic_institution ORDER BY id))"
    "[1 + n %% (SELECT count(*) FROM clinic_institution)]",
}  # fmt: skip


def more_residents(count):
    model = Resident.objects.order_by("pk").first()
    fields = [one for one in Resident._meta.concrete_fields if not one.primary_key and not one.generated]
    columns = ", ".join(one.column for one in fields)
    values = ", ".join(OWN.get(one.column, f"r.{one.column}") for one in fields)
    with connection.cursor() as cursor:
        cursor.execute(MORE.format(columns=columns, values=values), [count, model.pk])
        cursor.execute("ANALYZE clinic_resident")


def build(recipients):
    """In a process of its own, so that its memory is its own."""
    if (missing := recipients - Resident.objects.count()) > 0:
        more_residents(missing)
    command = [sys.executable, "-m", "benchmark.messages", "build"]
    answer = subprocess.run(command, cwd=postgres.PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    print(answer.stdout.strip())


def build_here():
    campaign = Campaign.objects.create(
        uuid=uuid.uuid4(), institution=Institution.objects.get(parent=None), name="bench", purpose=Purpose.EDUCATION,
        body="{name}您好，请于本周内到站接种流感疫苗，接种请带身份证。拒收请回复R", signature="社区卫生",
        audience={"source": "criteria"}, state="building",
    )  # fmt: skip
    before, began = megabytes(), time.perf_counter()
    row = building.build(campaign, timezone.now())
    spent = time.perf_counter() - began
    print(
        f"Audience to queued rows: {row.recipients:,} of {row.recipients + row.left_out:,} residents in"
        f" {spent:.0f} s ({row.recipients / spent:,.0f} a second), {megabytes() - before:.0f} MB more than at the start."
    )
    assert Message.objects.filter(campaign=row).count() == row.recipients


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def end_to_end(count):
    bare = sending.yardstick(count)
    rate, memory, cpu, ledger = sending.end_to_end(count)
    print(
        f"\nEnd to end over CMPP with receipts: {rate:,.0f} messages/s, {rate / bare:.0%} of the yardstick"
        f" ({bare:,.0f} frames/s without a database); dispatcher {cpu:.2f} ms CPU a message, at most {memory:.0f} MB;"
        f" {ledger['duplicate_count']} twice."
    )
    assert not ledger["duplicate_count"]


def stalled(count):
    alone, beside = sending.with_a_stalled_one(count)
    print(
        f"\nOne gateway beside an idle one: {alone:,.0f} messages/s; beside one that stalls with full windows:"
        f" {beside:,.0f} ({beside / alone - 1:+.0%})."
    )


def typing(seconds):
    """p95 of autosave with four doctors, without a campaign and with one under way at the pace of a real carrier."""
    from benchmark.measure import Autosave, drive, percentile  # noqa: PLC0415
    from benchmark.stage import Stage  # noqa: PLC0415

    desk = Stage()

    def p95():
        return percentile(drive(Autosave(desk), desk, 4, seconds)[1], 0.95)

    drive(Autosave(desk), desk, 4, 1)
    alone = p95()
    carrier = CarrierProcess()
    dispatcher = None
    try:
        made = sending.stage([carrier.port], rate=RATE)
        dispatcher = sending.DispatcherProcess()
        dispatcher.wait_until_up(made)
        campaign = sending.queue(int(RATE * (seconds * 3 + 30)), first=30_000_000)
        sending.wait_for(campaign, lambda found: found["delivered"] > RATE)
        during = p95()
    finally:
        if dispatcher is not None:
            dispatcher.stop()
        carrier.stop()
        campaign.state = "cancelled"
        campaign.save()
    after = p95()
    print(
        f"\nAutosave, 4 doctors, p95: {alone:.1f} ms before a campaign, {during:.1f} ms while {RATE} messages a second"
        f" go out ({during / ((alone + after) / 2) - 1:+.0%}), {after:.1f} ms after it."
    )


# What three accounts of an ordinary district are allowed together.
RATE = 300


def main():
    if sys.argv[1] == "build":
        build_here()
        return
    recipients, count, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    only = set(sys.argv[4:])
    for name, act, given in (
        ("typing", typing, seconds), ("end", end_to_end, count), ("stalled", stalled, count // 2),
        ("build", build, recipients),
    ):  # fmt: skip
        if not only or name in only:
            if name == "typing" and "PORT" not in os.environ:
                continue
            act(given)


if __name__ == "__main__":
    main()
