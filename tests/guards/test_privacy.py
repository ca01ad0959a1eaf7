"""Every field is classified private or not, and private ones never reach a log line (rule 11).

A new field changes a count here: whoever adds it decides, in the model's PRIVATE_FIELDS, what it is.
"""

import logging

import pytest
from django.apps import apps

from clinic.logs import JsonFormatter

OWN = ("clinic", "emr", "messaging", "contracts", "maintenance")

# model: (fields, private fields)
COUNTS = {
    "clinic.accessgrant": (6, 2),
    "clinic.allergy": (9, 5),
    "clinic.auditanchor": (5, 0),
    "clinic.auditentry": (17, 4),
    "clinic.auditlink": (3, 0),
    "clinic.community": (6, 0),
    "clinic.household": (5, 1),
    "clinic.institution": (11, 0),
    "clinic.keytag": (7, 4),
    "clinic.lease": (4, 0),
    "clinic.passwordrecord": (4, 1),
    "clinic.problem": (11, 6),
    "clinic.recordnumbercounter": (2, 0),
    "clinic.requestminute": (6, 0),
    "clinic.resident": (38, 29),
    "clinic.residentmerge": (10, 2),
    "clinic.user": (17, 3),
    "contracts.agreement": (38, 11),
    "contracts.agreementcounter": (4, 0),
    "contracts.agreementpackage": (6, 0),
    "contracts.agreementtext": (9, 0),
    "contracts.batch": (12, 0),
    "contracts.batchline": (9, 5),
    "contracts.evidence": (15, 5),
    "contracts.figure": (14, 0),
    "contracts.homevisit": (9, 3),
    "contracts.notsigned": (8, 3),
    "contracts.package": (7, 0),
    "contracts.packageitem": (13, 0),
    "contracts.packageversion": (16, 0),
    "contracts.planitem": (10, 2),
    "contracts.population": (7, 0),
    "contracts.reminder": (13, 3),
    "contracts.signature": (13, 2),
    "contracts.signingpractice": (10, 0),
    "contracts.switchrequest": (13, 3),
    "contracts.team": (8, 0),
    "contracts.teamarea": (3, 0),
    "contracts.teammember": (9, 0),
    "emr.aftervisititem": (14, 4),
    "emr.changerequest": (12, 3),
    "emr.copyissue": (20, 6),
    "emr.correction": (31, 12),
    "emr.diagnosis": (11, 4),
    "emr.diagnosisuse": (7, 0),
    "emr.encounter": (17, 3),
    "emr.insurancefiling": (19, 4),
    "emr.medication": (11, 5),
    "emr.note": (25, 12),
    "emr.notereview": (8, 2),
    "emr.notetemplate": (15, 0),
    "emr.practice": (6, 0),
    "emr.referral": (36, 12),
    "emr.referralcounter": (2, 0),
    "emr.retentionline": (6, 1),
    "emr.save": (11, 2),
    "emr.savefault": (16, 1),
    "emr.seal": (11, 1),
    "emr.sealanchor": (6, 0),
    "emr.sealedcopy": (26, 8),
    "emr.seallink": (5, 0),
    "emr.standinghistory": (8, 2),
    "emr.term": (8, 0),
    "emr.termrelease": (7, 0),
    "emr.writingmeasure": (9, 1),
    "maintenance.actionitem": (10, 0),
    "maintenance.alarm": (6, 0),
    "maintenance.attachment": (10, 2),
    "maintenance.attempt": (8, 2),
    "maintenance.attendance": (3, 0),
    "maintenance.backup": (12, 0),
    "maintenance.breach": (17, 2),
    "maintenance.certificate": (6, 0),
    "maintenance.clause": (11, 0),
    "maintenance.contact": (10, 4),
    "maintenance.course": (12, 0),
    "maintenance.drill": (9, 0),
    "maintenance.emergencyplan": (7, 0),
    "maintenance.equipment": (16, 1),
    "maintenance.kitkey": (7, 2),
    "maintenance.linkhour": (7, 0),
    "maintenance.linkstate": (7, 0),
    "maintenance.meeting": (8, 0),
    "maintenance.notice": (6, 0),
    "maintenance.offlinekit": (7, 0),
    "maintenance.paperpad": (6, 0),
    "maintenance.pause": (7, 1),
    "maintenance.payment": (7, 0),
    "maintenance.picturegrant": (6, 1),
    "maintenance.planstep": (7, 1),
    "maintenance.promise": (6, 0),
    "maintenance.question": (7, 0),
    "maintenance.servicelevel": (5, 0),
    "maintenance.session": (8, 0),
    "maintenance.statement": (8, 0),
    "maintenance.ticket": (37, 6),
    "maintenance.ticketcounter": (2, 0),
    "maintenance.ticketevent": (8, 1),
    "maintenance.ticketfilter": (5, 0),
    "maintenance.trainee": (4, 0),
    "maintenance.upgrade": (25, 0),
    "maintenance.upgradesite": (10, 0),
    "maintenance.vendorcontract": (8, 0),
    "maintenance.watchhour": (6, 0),
    "maintenance.weeklyreport": (9, 0),
    "maintenance.workcalendar": (4, 0),
    "maintenance.workday": (6, 0),
    "maintenance.workspan": (5, 0),
    "messaging.allowedaddress": (5, 0),
    "messaging.attempt": (10, 0),
    "messaging.attemptresult": (7, 0),
    "messaging.calltask": (11, 2),
    "messaging.campaign": (31, 2),
    "messaging.consent": (8, 3),
    "messaging.exclusion": (4, 1),
    "messaging.gateway": (19, 1),
    "messaging.gatewayhealth": (11, 0),
    "messaging.hookcall": (4, 0),
    "messaging.incomingmessage": (14, 3),
    "messaging.message": (22, 3),
    "messaging.numberoverride": (7, 1),
    "messaging.optout": (11, 3),
    "messaging.quota": (5, 0),
    "messaging.quotaentry": (13, 0),
    "messaging.quotaloan": (11, 0),
    "messaging.quotawarning": (6, 0),
    "messaging.receipt": (15, 2),
    "messaging.route": (6, 0),
    "messaging.savedfilter": (7, 0),
    "messaging.sendingpractice": (8, 0),
    "messaging.smstemplate": (9, 0),
    "messaging.tally": (10, 0),
}


def own_models():
    return [
        model
        for app in OWN
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith("Historical")
    ]


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label_lower)
def test_fields_are_classified_and_counted(model):
    names = {field.name for field in model._meta.concrete_fields}
    assert names >= model.PRIVATE_FIELDS
    assert (len(names), len(model.PRIVATE_FIELDS)) == COUNTS[model._meta.label_lower]


def test_an_error_that_quotes_a_patient_does_not_reach_the_log():
    try:
        raise ValueError("Key (id_number)=(110101195803070024) already exists, 张秀英")
    except ValueError as error:
        record = logging.makeLogRecord(
            {
                "msg": "failed for %s",
                "args": ("张秀英",),
                "exc_info": (type(error), error, error.__traceback__),
            }
        )
    line = JsonFormatter().format(record)
    assert "ValueError" in line
    assert "张秀英" not in line
    assert "110101195803070024" not in line
