"""Fifteen years from the last visit, computed anew each time; the month's list deletes nothing."""

from datetime import date, datetime, timedelta

import pytest
from django.contrib.admin.sites import site
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from clinic import registry
from clinic.models import AuditEntry, Resident
from emr import jobs
from emr.codes import EncounterStatus
from emr.models import Encounter, RetentionLine
from emr.papers import retention
from tests import factories

pytestmark = pytest.mark.django_db
MONTH = date(2026, 11, 1)


def visit(resident, institution, day, status=EncounterStatus.FINISHED, **facts):
    at = timezone.make_aware(datetime(*map(int, day.split("-")), 10))
    return Encounter.objects.create(
        resident=resident, institution=institution, status=status, arrived_at=at, **facts
    )


def due(month=MONTH):
    retention.write_list(month)
    return set(RetentionLine.objects.filter(month=month).values_list("resident", flat=True))


@pytest.mark.parametrize(
    ("last", "until"),
    [
        (date(2011, 11, 20), date(2026, 11, 20)),
        (date(2011, 12, 31), date(2026, 12, 31)),
        (date(2008, 2, 29), date(2023, 2, 28)),
        (date(2024, 2, 29), date(2039, 2, 28)),
    ],
)
def test_kept_for_fifteen_years(last, until):
    assert retention.retain_until(last) == until


def test_every_day_of_a_span_ends_in_its_month():
    for month in (date(2023, 2, 1), date(2026, 12, 1), date(2027, 1, 1)):
        begin, end = (timezone.localtime(at) for at in retention.span(month))
        inside = [begin.date() + timedelta(days=n) for n in range((end - begin).days)]
        assert {retention.month_of(retention.retain_until(day)) for day in inside} == {month}


class TestList:
    def test_a_file_whose_last_visit_lies_fifteen_years_back(self, resident, station):
        visit(resident, station, "2011-11-30")
        assert due() == {resident.pk}
        line = RetentionLine.objects.get()
        assert (line.last_visit, line.retain_until) == (date(2011, 11, 30), date(2026, 11, 30))
        assert line.institution == station

    @pytest.mark.parametrize("day", ["2011-10-31", "2011-12-01"])
    def test_another_month_is_not_in_it(self, resident, station, day):
        visit(resident, station, day)
        assert due() == set()

    def test_midnight_is_the_clinics(self, resident, station):
        at = datetime.fromisoformat(
            "2011-11-30T16:30:00+00:00"
        )  # half past midnight of 1 December in Beijing
        Encounter.objects.create(resident=resident, institution=station, status="finished", arrived_at=at)
        assert (due(), due(date(2026, 12, 1))) == (set(), {resident.pk})

    def test_a_later_visit_anywhere_puts_it_off(self, resident, station, other_station):
        visit(resident, station, "2011-11-05")
        visit(resident, other_station, "2019-01-01")
        assert due() == set()

    def test_a_cancelled_visit_is_none(self, resident, station):
        visit(resident, station, "2011-11-05")
        visit(resident, station, "2019-01-01", EncounterStatus.CANCELLED, cancel_reason="误登")
        assert due() == {resident.pk}

    def test_two_visits_of_the_month_are_one_line_with_the_last(self, resident, station, other_station):
        visit(resident, other_station, "2011-11-20")
        visit(resident, station, "2011-11-05")
        assert due() == {resident.pk}
        assert RetentionLine.objects.get().institution == other_station

    def test_merged_rows_are_one_file(self, resident, station):
        other = factories.resident(station, "张秀英", id_number="")
        Resident.objects.filter(pk=other.pk).update(merged_into=resident)
        visit(other, station, "2011-11-05")
        assert due() == {resident.pk}

    def test_a_later_visit_under_the_absorbed_row_puts_it_off(self, resident, station):
        other = factories.resident(station, "张秀英", id_number="")
        third = factories.resident(station, "张秀英", id_number="")
        Resident.objects.filter(pk__in=[other.pk, third.pk]).update(merged_into=resident)
        visit(third, station, "2011-11-05")
        visit(other, station, "2020-01-01")
        assert due() == set()

    def test_run_again_it_adds_what_is_missing_and_nothing_twice(self, resident, station):
        visit(resident, station, "2011-11-05")
        assert (retention.write_list(MONTH), retention.write_list(MONTH)) == (1, 1)
        another = factories.resident(station)
        visit(another, station, "2011-11-06")
        assert retention.write_list(MONTH) == 2

    def test_the_years_are_a_setting(self, resident, station, settings):
        settings.RETENTION_YEARS = 30
        visit(resident, station, "1996-11-05")
        assert due() == {resident.pk}

    def test_nothing_is_deleted_by_it(self, resident, station):
        visit(resident, station, "2011-11-05")
        retention.write_list(MONTH)
        assert (Resident.objects.count(), Encounter.objects.count()) == (1, 1)


class TestJob:
    def test_writes_the_present_month(self, resident, station):
        back = timezone.localdate().replace(day=1, year=timezone.localdate().year - 15)
        visit(resident, station, back.isoformat())
        assert jobs.list_retention.call() == 1
        assert RetentionLine.objects.get().month == timezone.localdate().replace(day=1)

    def test_stands_in_the_timetable_on_the_first(self):
        line = next(line for line in registry.timetable if line.name == "list_retention")
        at = timezone.make_aware(datetime(2026, 11, 2))
        following = line.trigger.get_next_fire_time(None, at)
        assert (following.month, following.day) == (12, 1)


@pytest.mark.django_db(transaction=True)
def test_begins_at_the_visits_of_the_month(station, other_station, as_owner):
    """No walk over all visits: enough of them, counted, and the plan names the index over institution and time."""
    people = [factories.resident(station, f"居民{number}") for number in range(20)]
    newest = timezone.make_aware(datetime(2026, 11, 20, 9))
    Encounter.objects.bulk_create(
        Encounter(
            resident=people[number % 20], institution=(station, other_station)[number % 2],
            status=EncounterStatus.FINISHED, arrived_at=newest - timedelta(days=number),
        )
        for number in range(7000)
    )  # fmt: skip
    as_owner.execute("ANALYZE emr_encounter, clinic_resident")
    query = retention.falls_due(MONTH, station).values_list("file", "arrived_at").query
    sql, parameters = query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        # So few rows are read at once where there is the choice; here it is asked whether there is one.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", parameters)
        plan = "\n".join(row for (row,) in cursor.fetchall())
    assert "encounter_institution" in plan
    assert "Seq Scan on emr_encounter" not in plan


class TestPages:
    @pytest.fixture
    def line(self, resident, station):
        month = timezone.localdate().replace(day=1)
        visit(resident, station, f"{month.year - 15}-{month.month:02d}-05")
        retention.write_list(month)
        return RetentionLine.objects.get()

    def open(self, client, user, **asked):
        client.force_login(user)
        return client.get(reverse("admin:emr_retentionline_changelist"), asked)

    def test_kept_until_stands_on_the_residents_papers(self, client, doctor, resident, station):
        visit(resident, station, "2024-03-05")
        client.force_login(doctor)
        assert "2039-03-05" in client.get(reverse("papers", args=[resident.uuid])).content.decode()

    def test_a_later_visit_moves_it(self, client, doctor, resident, station):
        visit(resident, station, "2024-03-05")
        visit(resident, station, "2025-04-06")
        client.force_login(doctor)
        assert "2040-04-06" in client.get(reverse("papers", args=[resident.uuid])).content.decode()

    def test_the_list_names_the_file_and_says_that_nothing_is_deleted(self, client, manager, line):
        page = self.open(client, manager).content.decode()
        assert line.resident.name in page
        assert "不删除" in page
        assert "顺延" not in page.split("result_list")[1]

    def test_has_visited_since_is_told_at_once(self, client, manager, line, station):
        visit(line.resident, station, timezone.localdate().isoformat())
        assert "是，顺延" in self.open(client, manager).content.decode()

    def test_a_visit_of_a_row_merged_since_counts(self, client, manager, line, station):
        other = factories.resident(station, id_number="")
        Resident.objects.filter(pk=other.pk).update(merged_into=line.resident)
        visit(other, station, timezone.localdate().isoformat())
        assert "是，顺延" in self.open(client, manager).content.decode()

    def test_other_months_and_nonsense(self, client, manager, line):
        assert line.resident.name not in self.open(client, manager, month="2020-01").content.decode()
        assert self.open(client, manager, month="🙂").status_code == 200

    def test_other_centres_see_other_files(self, client, line, other_centre):
        page = self.open(client, factories.user("manager", other_centre)).content.decode()
        assert line.resident.name not in page

    def test_doctors_have_no_such_list(self, client, doctor, clerk, line):
        assert line.resident.name not in self.open(client, doctor).content.decode()
        assert self.open(client, clerk).status_code == 403

    def test_export_is_the_list_and_is_audited(self, client, manager, line):
        client.force_login(manager)
        answer = client.get(reverse("admin:emr_retentionline_export", args=["xlsx"]))
        assert (answer.status_code, answer.content[:2]) == (200, b"PK")
        assert AuditEntry.objects.get(act="export").detail == {"what": "retention", "rows": 1}

    def test_the_list_asks_few_questions(self, client, manager, line, station, django_assert_max_num_queries):
        for _n in range(60):
            visit(factories.resident(station), station, line.last_visit.isoformat())
        retention.write_list(line.month)
        client.force_login(manager)
        with django_assert_max_num_queries(12):
            client.get(reverse("admin:emr_retentionline_changelist"))

    def test_nobody_writes_lines_by_hand(self, rf, manager):
        request = rf.get("/")
        request.user = manager
        desk = site._registry.get(RetentionLine)
        assert desk is None or not desk.has_add_permission(request)
