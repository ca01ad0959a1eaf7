"""The figures of signing: what the page says is what plain SQL counts, for every place, month and group."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone
from psycopg2 import IntegrityError

from clinic.models import Institution, User
from contracts.codes import Group
from contracts.figures import adding_up, reading
from contracts.models import Agreement, Evidence, Figure, PlanItem, Population

IN_FORCE = """
    a.state IN ('signed', 'deemed', 'expired', 'terminated', 'switched', 'renewed')
    AND a.start <= {day} AND coalesce(a.ended_on, a."end") >= {day}
"""
PLAIN = {
    "signed": "SELECT count(*) FROM {agreements} WHERE " + IN_FORCE,
    "served": "SELECT count(*) FROM {agreements} WHERE " + IN_FORCE + """
        AND EXISTS (SELECT FROM contracts_evidence e JOIN contracts_planitem p ON p.id = e.plan_id
            JOIN contracts_agreement b ON b.id = p.agreement_id WHERE b.resident_id = a.resident_id
            AND e.state = 'confirmed' AND e."on" >= {january} AND e."on" <= {day})""",
    "added": """SELECT count(*) FROM {agreements} WHERE a.state NOT IN ('draft', 'pending', 'refused', 'revoked')
        AND a.start BETWEEN {january} AND {day}""",
    "due": """SELECT count(*) FROM {agreements} WHERE a.state NOT IN ('draft', 'pending', 'refused', 'revoked')
        AND a."end" BETWEEN {january} AND {day} AND coalesce(a.ended_on, a."end") = a."end" """,
    "renewed": """SELECT count(*) FROM {agreements} WHERE a.state NOT IN ('draft', 'pending', 'refused', 'revoked')
        AND a."end" BETWEEN {january} AND {day} AND coalesce(a.ended_on, a."end") = a."end"
        AND EXISTS (SELECT FROM contracts_agreement n WHERE n.follows_id = a.id AND n.state IN ('signed', 'expired'))""",
    "planned": """SELECT coalesce(sum(p.times), 0) FROM {agreements} JOIN contracts_planitem p ON p.agreement_id = a.id
        WHERE p.due_to BETWEEN {january} AND {day} AND p.closed_on IS NULL""",
    "done": """SELECT coalesce(sum(p.done), 0) FROM {agreements} JOIN contracts_planitem p ON p.agreement_id = a.id
        WHERE p.due_to BETWEEN {january} AND {day} AND p.closed_on IS NULL""",
}  # fmt: skip


def plain(what, place, group, month):
    """The count by a statement that knows nothing of how figures are kept."""
    day = min(adding_up.last_of(month), timezone.localdate())
    chosen = {"all": "true", "key": "a.groups <> '[]'"}.get(group, f"a.groups ? '{group}'")
    rows = f"""(SELECT a.* FROM contracts_agreement a JOIN clinic_institution i ON i.id = a.institution_id
        WHERE i.path LIKE '{place.path}%' AND {chosen}) a"""
    sql = PLAIN[what].format(agreements=rows, day=f"DATE '{day}'", january=f"DATE '{month.year}-01-01'")
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.fixture
def seeded(seed):
    seed(stations=6, residents=500)
    seed(agreements=450)
    adding_up.add_up_all()


def test_figures_equal_plain_sql_over_the_seeded_data(seeded):
    user = User.objects.get(username="district")
    running = adding_up.month_of(timezone.localdate())
    places = list(Institution.objects.order_by("path"))
    for month in (running, adding_up.before(running), adding_up.before(running, 9)):
        for group in ("all", "key", "senior"):
            for place in places[:3]:
                below = [each for each in places if each.path.startswith(place.path)]
                whole = reading.report(user, place, below, month, group).whole
                assert {what: getattr(whole, what) for what in PLAIN} == {
                    what: plain(what, place, group, month) for what in PLAIN
                }, (month, group, place)


def test_the_page_shows_them_with_the_time(seeded, client, django_assert_max_num_queries):
    client.force_login(User.objects.get(username="district"))
    client.get(reverse("signing-figures"))  # the session's first page writes
    with django_assert_max_num_queries(12):
        html = client.get(reverse("signing-figures")).content.decode()
    root = Institution.objects.get(parent=None)
    month = adding_up.month_of(timezone.localdate())
    assert f"<dd>{plain('signed', root, 'all', month)}</dd>" in html
    assert f"<dd>{plain('served', root, 'all', month)}</dd>" in html
    assert f"{timezone.localtime(Figure.objects.latest('refreshed_at').refreshed_at):%Y-%m-%d %H:%M}" in html
    assert plain("signed", root, "all", month) > 200


def test_the_sheet_holds_every_place_team_and_group(seeded, client):
    client.force_login(User.objects.get(username="doctor"))
    answer = client.get(reverse("signing-figures-sheet"))
    assert answer["Content-Type"].startswith("application/vnd.openxml")
    assert answer.content[:2] == b"PK"


def test_coverage_is_of_the_people_entered_or_of_the_sum_below(seeded):
    user, root = User.objects.get(username="district"), Institution.objects.get(parent=None)
    places = list(Institution.objects.all())
    month = adding_up.month_of(timezone.localdate())
    for number, station in enumerate(place for place in places if place.is_leaf):
        Population.objects.create(institution=station, year=month.year - number % 2, people=100)
    report = reading.report(user, root, places, month, "all")
    assert report.whole.people == 600
    assert report.whole.coverage == 100 * report.whole.signed / 600
    Population.objects.create(institution=root, year=month.year, people=1000)
    assert reading.report(user, root, places, month, "all").whole.people == 1000


def test_whoever_works_at_a_station_sees_it_alone(seeded, client):
    client.force_login(User.objects.get(username="doctor"))
    html = client.get(reverse("signing-figures")).content.decode()
    station = User.objects.get(username="doctor").institution
    assert f"<dd>{plain('signed', station, 'all', adding_up.month_of(timezone.localdate()))}</dd>" in html
    other = Institution.objects.get(code="S0201")
    assert client.get(reverse("signing-figures"), {"place": other.uuid}).status_code == 404


def test_adding_up_twice_changes_nothing_and_lets_nothing_stale_stand(seeded):
    before = list(Figure.objects.order_by("pk").values_list("month", "team", "group", "signed", "done"))
    team = Figure.objects.first().team
    Figure.objects.create(
        month=adding_up.month_of(timezone.localdate()), institution=team.institution, team=team, group=Group.VETERAN,
        signed=9, refreshed_at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    adding_up.add_up_all()
    assert (
        list(Figure.objects.order_by("pk").values_list("month", "team", "group", "signed", "done")) == before
    )


def test_seeded_agreements_are_whole_and_their_triggers_hold_again(seeded, as_owner):
    assert Agreement.objects.count() in (450, 451)
    done = PlanItem.objects.aggregate(done=Sum("done"))["done"]
    assert Evidence.objects.confirmed().count() == done > 0
    with pytest.raises(IntegrityError, match="never deleted"):
        as_owner.execute("DELETE FROM contracts_planitem")
