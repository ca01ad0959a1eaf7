"""No hard delete of residents, visits, notes, agreements, receipts, audit or messages (rules B2.4).

Each table of the house stands in one of three lists. The database itself is asked: as the app's role for each
of them, and as the owner, with django-pgtrigger's escape, where a plain trigger holds even the owner's hand.
"""

import uuid

import pytest
from django.apps import apps
from django.db import Error, connection, transaction
from psycopg2 import IntegrityError

from clinic import database
from clinic.models import Lease
from tests.emr import test_sealed_copies as sealing
from tests.emr.test_sealed_copies import asked, daughter, keys, visit  # noqa: F401 - fixtures
from tests.guards.test_privacy import own_models

# Written once: neither UPDATE nor DELETE (clinic.models.base.AppendOnlyRow); of a save two columns may be thinned
# (tests/emr/test_thinning.py).
WRITTEN_ONCE = {
    "clinic_accessgrant", "clinic_auditanchor", "clinic_auditentry", "clinic_auditlink",
    "contracts_signature", "emr_copyissue", "emr_diagnosis", "emr_medication", "emr_notereview", "emr_retentionline",
    "emr_save", "emr_savefault", "emr_seal", "emr_sealanchor", "emr_seallink", "emr_writingmeasure",
    "messaging_attempt", "messaging_attemptresult", "messaging_consent", "messaging_incomingmessage", "messaging_quotaentry", "messaging_quotawarning", "messaging_receipt",
    "maintenance_attachment", "maintenance_attempt", "maintenance_certificate", "maintenance_notice", "maintenance_offlinekit",
    "maintenance_paperpad", "maintenance_picturegrant", "maintenance_statement", "maintenance_ticketevent",
}  # fmt: skip
# They change, and stay.
KEPT = {
    "clinic_allergy", "clinic_community", "clinic_household", "clinic_institution", "clinic_keytag",
    "clinic_passwordrecord", "clinic_problem", "clinic_recordnumbercounter", "clinic_resident",
    "clinic_residentmerge", "clinic_user",
    "contracts_agreement", "contracts_agreementcounter", "contracts_agreementtext", "contracts_batch",
    "contracts_batchline", "contracts_evidence", "contracts_homevisit", "contracts_notsigned", "contracts_package",
    "contracts_packageversion", "contracts_planitem", "contracts_population", "contracts_reminder",
    "contracts_signingpractice", "contracts_switchrequest", "contracts_team", "contracts_teammember",
    "emr_aftervisititem", "emr_changerequest", "emr_correction", "emr_diagnosisuse", "emr_encounter",
    "emr_insurancefiling", "emr_note", "emr_notetemplate", "emr_practice", "emr_referral", "emr_sealedcopy",
    "emr_referralcounter", "emr_standinghistory", "emr_term", "emr_termrelease",
    "messaging_allowedaddress", "messaging_calltask", "messaging_campaign", "messaging_gateway", "messaging_gatewayhealth", "messaging_message", "messaging_numberoverride", "messaging_optout", "messaging_quota", "messaging_quotaloan", "messaging_route", "messaging_savedfilter", "messaging_sendingpractice", "messaging_smstemplate",
    "maintenance_actionitem", "maintenance_backup", "maintenance_breach",
    "maintenance_clause", "maintenance_contact", "maintenance_course", "maintenance_drill",
    "maintenance_emergencyplan", "maintenance_equipment", "maintenance_kitkey", "maintenance_linkhour", "maintenance_linkstate",
    "maintenance_meeting", "maintenance_pause", "maintenance_payment", "maintenance_promise",
    "maintenance_servicelevel", "maintenance_session", "maintenance_ticket", "maintenance_ticketcounter",
    "maintenance_upgrade", "maintenance_vendorcontract", "maintenance_watchhour", "maintenance_weeklyreport",
    "maintenance_workcalendar", "maintenance_workday",
}  # fmt: skip
# Rows that may go, with why.
DELETABLE = {
    "clinic_lease": "of workers that are gone",
    "contracts_agreementpackage": "of a draft; a trigger keeps the others",
    "contracts_figure": "added up anew",
    "contracts_packageitem": "of a version not yet published; a trigger keeps the others",
    "contracts_teamarea": "a service area that a team gives back",
    "clinic_requestminute": "nobody compares with it any more",
    "maintenance_alarm": "what is no longer watched",
    "maintenance_attendance": "ticked by mistake",
    "maintenance_planstep": "a plan is written anew",
    "maintenance_question": "a question that is no longer asked",
    "maintenance_ticketfilter": "a habit, nobody's record",
    "maintenance_trainee": "asked by mistake",
    "maintenance_upgradesite": "while the upgrade is a draft",
    "maintenance_workspan": "hours that are no longer worked",
    "messaging_exclusion": "an audience counted anew",
    "messaging_hookcall": "its time stamp alone is refused by now",
    "messaging_tally": "added up",
}
# Tables whose plain SQL trigger refuses the owner too; those tried with a row, and all.
TRIED = ("clinic_resident", "emr_encounter", "emr_note", "emr_save", "emr_correction", "emr_sealedcopy")
HELD = (
    *TRIED,
    "emr_aftervisititem",
    "emr_changerequest",
    "emr_insurancefiling",
    "emr_referral",
    "contracts_agreement",
    "contracts_agreementtext",
    "contracts_evidence",
    "contracts_packageversion",
    "contracts_planitem",
    "maintenance_meeting",
    "maintenance_ticket",
    "maintenance_upgrade",
    "maintenance_weeklyreport",
)
HOLDS = """
    SELECT count(*) FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
    WHERE t.tgrelid = %s::regclass AND t.tgenabled = 'O' AND t.tgtype & 11 = 11 -- row, before, delete
        AND f.prosrc LIKE '%%never deleted%%' AND f.prosrc NOT LIKE '%%pgtrigger%%'
"""


def tables():
    return {model._meta.db_table for model in own_models()}


def test_every_table_of_the_house_is_in_one_list():
    assert tables() == WRITTEN_ONCE | KEPT | set(DELETABLE)
    assert not (WRITTEN_ONCE & KEPT) | (KEPT & set(DELETABLE)) | (WRITTEN_ONCE & set(DELETABLE))


def test_the_lists_are_what_the_models_say():
    assert set(database.kept_tables(apps)) == KEPT
    assert set(database.append_only_tables(apps)) >= WRITTEN_ONCE


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(WRITTEN_ONCE | KEPT))
def test_the_app_deletes_nothing(table):
    """The right is asked for before the rows are: an empty table answers too."""
    for way in ("DELETE FROM {}", "TRUNCATE {} CASCADE"):
        with (
            pytest.raises(Error, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(way.format(table))


@pytest.mark.django_db
def test_history_is_kept_too():
    histories = [table for table in database.append_only_tables(apps) if "historical" in table]
    assert histories
    with connection.cursor() as cursor:
        for table in histories:
            cursor.execute("SELECT has_table_privilege(current_user, %s, 'DELETE')", [table])
            assert cursor.fetchone() == (False,), table


@pytest.mark.django_db
@pytest.mark.parametrize("table", HELD)
def test_a_plain_trigger_holds_it(table):
    with connection.cursor() as cursor:
        cursor.execute(HOLDS, [table])
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", TRIED)
def test_the_owner_is_refused_too(asked, visit, doctor, as_owner, table):  # noqa: F811 - fixtures
    """A row in each of the tables, and somebody who owns them and knows of the escape."""
    sealing.seal(asked)
    sealing.correct(visit, doctor, "改", signed=False)
    visit.note.saves.create(key=uuid.uuid4(), by=doctor, version=1, changes={}, characters=0, sha256="")
    as_owner.execute("SET pgtrigger.ignore = '{*}'")
    as_owner.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - own names
    assert as_owner.fetchone()[0] > 0
    with pytest.raises(IntegrityError, match="never deleted"):
        as_owner.execute(f"DELETE FROM {table}")  # noqa: S608 - own names


def test_a_lease_may_go():
    assert Lease.deletable
