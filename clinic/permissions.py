"""Who may do what: one table of roles, a sentence and the permissions of each.

The vocabulary is Django's codenames. Checks read this table in memory and cost no query; the groups in
the database mirror it for the admin's eyes. Where a person may do it is the institution's matter:
``QuerySet.visible_to(user)``.
"""

from dataclasses import dataclass
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _

from clinic.codes import Role
from clinic.door import show_the_door


@dataclass(frozen=True)
class Grant:
    sentence: str
    permissions: frozenset[str]


def grant(sentence, *bundles):
    return Grant(sentence, frozenset().union(*bundles))


LOOK = {"clinic.view_institution", "clinic.view_community", "clinic.view_user"}
FIND_RESIDENTS = {
    "clinic.view_resident",
    "clinic.reveal_resident",
    "clinic.view_keytag",
    "clinic.view_household",
}
REGISTER = {
    "clinic.add_resident",
    "clinic.change_resident",
    "clinic.merge_resident",
    "clinic.add_keytag",
    "clinic.change_keytag",
    "clinic.add_household",
    "clinic.change_household",
}
SPREADSHEETS = {"clinic.import_resident", "clinic.export_resident"}
RECEPTION = {"emr.view_encounter", "emr.check_in", "emr.cancel_encounter"}
READ_RECORD = {
    "clinic.view_allergy",
    "clinic.view_problem",
    "clinic.open_foreign_resident",
    "emr.view_encounter",
    "emr.view_note",
    "emr.print_note",
    "emr.view_term",
}
CARE = {"clinic.add_allergy", "clinic.change_allergy", "emr.record_vitals"}
WRITE_RECORD = {
    "clinic.add_problem",
    "clinic.change_problem",
    "emr.start_encounter",
    "emr.write_note",
    "emr.sign_note",
    "emr.cancel_encounter",
}
LESS_TO_TYPE = {
    "emr.view_notetemplate",
    "emr.add_notetemplate",
    "emr.change_notetemplate",
    "emr.view_aftervisititem",
    "emr.change_aftervisititem",
    "emr.view_writingmeasure",
}
OWN_SAVES = {"emr.view_save"}
CORRECT = {"emr.correct_note"}
REFERRALS = {"emr.view_referral", "emr.write_referral", "emr.receive_referral", "emr.file_insurance"}
COPIES = {"emr.view_copyissue", "emr.add_copyissue"}
ADMINISTER_RECORDS = {
    "emr.approve_archive_change",
    "emr.inquire_record",
    "emr.view_save",
    "emr.view_sealedcopy",
    "emr.add_sealedcopy",
    "emr.change_sealedcopy",
    "emr.view_retentionline",
    "emr.view_referral",
    "emr.file_insurance",
}
SHARED_PRACTICE = {
    "emr.view_notetemplate",
    "emr.add_notetemplate",
    "emr.change_notetemplate",
    "emr.share_notetemplate",
    "emr.view_practice",
    "emr.add_practice",
    "emr.change_practice",
    "emr.view_writingmeasure",
}
TERMS = {"emr.view_term", "emr.view_termrelease"}
TRAIL = {"clinic.view_auditentry"}
SEE_MESSAGES = {
    "messaging.view_campaign",
    "messaging.view_message",
    "messaging.view_consent",
    "messaging.view_calltask",
}
CALLS = {"messaging.view_calltask", "messaging.change_calltask"}
SPEAK = {
    "messaging.view_smstemplate",
    "messaging.view_campaign",
    "messaging.add_campaign",
    "messaging.change_campaign",
    "messaging.send_campaign",
    "messaging.queue_message",
    "messaging.view_savedfilter",
    "messaging.add_savedfilter",
    "messaging.change_savedfilter",
    "messaging.view_quota",
    "messaging.view_sendingpractice",
}
CONSENTS = {
    "messaging.view_consent",
    "messaging.add_consent",
    "messaging.view_optout",
    "messaging.add_optout",
    "messaging.change_optout",
    "messaging.view_incomingmessage",
}
RUN_MESSAGES = {
    "messaging.add_smstemplate",
    "messaging.change_smstemplate",
    "messaging.approve_campaign",
    "messaging.override_quiet",
    "messaging.share_quota",
    "messaging.view_quotaloan",
    "messaging.add_quotaloan",
    "messaging.add_sendingpractice",
    "messaging.change_sendingpractice",
}
CARRIERS = {
    "messaging.view_gateway",
    "messaging.add_gateway",
    "messaging.change_gateway",
    "messaging.test_gateway",
    "messaging.view_route",
    "messaging.add_route",
    "messaging.change_route",
    "messaging.view_allowedaddress",
    "messaging.add_allowedaddress",
    "messaging.change_allowedaddress",
}
SEE_AGREEMENTS = {
    "contracts.view_team",
    "contracts.view_package",
    "contracts.view_agreementtext",
    "contracts.view_agreement",
    "contracts.view_switchrequest",
    "contracts.view_reminder",
    "contracts.view_notsigned",
    "contracts.view_homevisit",
    "contracts.view_figure",
}
SIGN_AGREEMENTS = {
    "contracts.sign_agreement",
    "contracts.end_agreement",
    "contracts.add_switchrequest",
    "contracts.change_reminder",
    "contracts.add_notsigned",
}
SERVE = {
    "contracts.confirm_evidence",
    "contracts.add_homevisit",
    "contracts.change_homevisit",
}
AGREEMENT_DESK = {
    "contracts.batch_agreement",
    "contracts.import_agreement",
    "contracts.export_agreement",
    "contracts.view_batch",
}
RUN_TEAMS = {
    "contracts.add_team",
    "contracts.change_team",
    "contracts.export_team",
    "contracts.decide_switchrequest",
    "contracts.view_signingpractice",
    "contracts.add_signingpractice",
    "contracts.change_signingpractice",
    "contracts.view_population",
    "contracts.add_population",
    "contracts.change_population",
}
PACKAGES = {
    "contracts.view_team",
    "contracts.view_package",
    "contracts.add_package",
    "contracts.change_package",
    "contracts.publish_package",
    "contracts.view_agreementtext",
    "contracts.add_agreementtext",
    "contracts.change_agreementtext",
    "contracts.publish_agreementtext",
}
FIGURES = {
    "contracts.view_team",
    "contracts.view_figure",
    "contracts.view_population",
    "contracts.add_population",
    "contracts.change_population",
    "contracts.view_signingpractice",
    "contracts.add_signingpractice",
    "contracts.change_signingpractice",
}
REPORT_FAULTS = {"maintenance.add_ticket"}
WORK_ON_FAULTS = {
    "maintenance.view_ticket",
    "maintenance.work_ticket",
    "maintenance.merge_ticket",
    "maintenance.see_board",
    "maintenance.view_contact",
    "maintenance.view_servicelevel",
    "maintenance.view_workcalendar",
    "maintenance.view_workday",
}
PROMISES = {
    "maintenance.add_servicelevel",
    "maintenance.change_servicelevel",
    "maintenance.add_workcalendar",
    "maintenance.change_workcalendar",
    "maintenance.add_workday",
    "maintenance.change_workday",
}
SEE_CONTRACT = {
    "maintenance.view_vendorcontract",
    "maintenance.view_clause",
    "maintenance.view_payment",
    "maintenance.view_breach",
    "maintenance.view_statement",
}
VENDOR_CONTRACT = {
    "maintenance.add_vendorcontract",
    "maintenance.change_vendorcontract",
    "maintenance.add_clause",
    "maintenance.change_clause",
    "maintenance.add_payment",
    "maintenance.change_payment",
    "maintenance.decide_breach",
    "maintenance.add_statement",
}
CONTACTS = {"maintenance.add_contact", "maintenance.change_contact"}

ROLES = {
    Role.DOCTOR: grant(
        _("Sees patients: charts, signs, prints, and reviews the notes of assistants."),
        LOOK, FIND_RESIDENTS, REGISTER, READ_RECORD, CARE, WRITE_RECORD, RECEPTION, {"emr.review_note"},
        LESS_TO_TYPE, OWN_SAVES, CORRECT, REFERRALS, COPIES, {"messaging.view_consent", "messaging.add_consent"},
        SEE_AGREEMENTS, SIGN_AGREEMENTS, SERVE, {"contracts.decide_switchrequest"}, REPORT_FAULTS,
    ),
    Role.ASSISTANT: grant(
        _("Sees patients under supervision: what is signed waits for a doctor's review."),
        LOOK, FIND_RESIDENTS, REGISTER, READ_RECORD, CARE, WRITE_RECORD, RECEPTION,
        LESS_TO_TYPE, OWN_SAVES, CORRECT, REFERRALS, {"contracts.view_team", "contracts.view_agreement"}, REPORT_FAULTS,
    ),
    Role.NURSE: grant(
        _("Keeps the waiting list, takes vital signs and asks for allergies."),
        LOOK, FIND_RESIDENTS, READ_RECORD - {"emr.print_note"}, CARE, RECEPTION, {"emr.view_referral", "emr.file_insurance"},
        CALLS, {"messaging.view_consent", "messaging.add_consent"}, SEE_AGREEMENTS, SIGN_AGREEMENTS, SERVE, REPORT_FAULTS,
    ),
    Role.CLERK: grant(
        _("Registers residents, checks them in, signs agreements and sends messages; reads no clinical text."),
        LOOK, FIND_RESIDENTS, REGISTER, SPREADSHEETS, RECEPTION, SEE_MESSAGES, SPEAK, CALLS, CONSENTS,
        SEE_AGREEMENTS, SIGN_AGREEMENTS, AGREEMENT_DESK, REPORT_FAULTS,
    ),
    Role.MANAGER: grant(
        _("Runs a centre as its medical administration: reads records and approves changes to archived ones."),
        LOOK, FIND_RESIDENTS, READ_RECORD, SPREADSHEETS, TERMS, TRAIL, ADMINISTER_RECORDS, COPIES, SHARED_PRACTICE,
        SEE_MESSAGES, SPEAK, CALLS, CONSENTS, RUN_MESSAGES, {"messaging.export_campaign"},
        SEE_AGREEMENTS, SIGN_AGREEMENTS, AGREEMENT_DESK, RUN_TEAMS, PACKAGES,
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS,
    ),
    Role.CENTRE_IT: grant(
        _("Keeps a centre's computers running; sees no patient."), LOOK, {"clinic.view_operations"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS,
    ),
    Role.DISTRICT: grant(
        _("Runs the district's business: institutions, neighbourhoods, terms, messages, packages; sees no single patient."),
        LOOK, TERMS, SHARED_PRACTICE, SPEAK, RUN_MESSAGES, PACKAGES, FIGURES,
        {"messaging.view_gateway", "messaging.view_route", "messaging.add_quota", "messaging.change_quota",
         "messaging.fill_quota", "messaging.exceed_quota", "messaging.decide_quotaloan"},
        {"clinic.add_institution", "clinic.change_institution", "clinic.add_community", "clinic.change_community"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS, SEE_CONTRACT, VENDOR_CONTRACT,
    ),
    Role.DISTRICT_IT: grant(
        _("Keeps the district's system and its carriers running; sees no patient."),
        LOOK, TERMS, {"clinic.view_operations"}, CARRIERS,
        {"messaging.view_numberoverride", "messaging.add_numberoverride", "messaging.change_numberoverride"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS, PROMISES, SEE_CONTRACT,
    ),
    Role.VENDOR: grant(
        _("Mends the system for the vendor; sees no patient and no clinical text."), {"clinic.view_institution"},
        REPORT_FAULTS, WORK_ON_FAULTS, SEE_CONTRACT, {"maintenance.object_breach"},
    ),
    Role.AUDITOR: grant(
        _("Reads the audit trail of the institution and all below it."), LOOK, TRAIL, {"clinic.export_auditentry", "maintenance.view_ticket"},
        REPORT_FAULTS,
    ),
    Role.SYSADMIN: grant(
        _("Keeps institutions and accounts; grants no role and sees no patient."),
        LOOK,
        {"clinic.add_user", "clinic.change_user", "clinic.add_institution", "clinic.change_institution",
         "clinic.view_operations"},
        REPORT_FAULTS,
    ),
    Role.SECADMIN: grant(
        _("Grants roles and unlocks accounts; sees no patient."),
        LOOK, {"clinic.change_user", "clinic.assign_role", "clinic.unlock_user"}, REPORT_FAULTS,
    ),
    Role.INTEGRATOR: grant(_("A machine of another system; reaches the interface only."), set()),
}  # fmt: skip

CLINICAL_ROLES = frozenset({Role.DOCTOR, Role.ASSISTANT, Role.NURSE, Role.MANAGER})
PAGE_ROLES = frozenset({Role.DOCTOR, Role.ASSISTANT, Role.NURSE})
ADMIN_ROLES = frozenset(set(ROLES) - {Role.DOCTOR, Role.ASSISTANT, Role.NURSE, Role.VENDOR, Role.INTEGRATOR})


def permissions_of(user) -> frozenset[str]:
    if not user.is_active or user.is_anonymous or user.role not in ROLES:
        return frozenset()
    return ROLES[user.role].permissions


def needs(*perms):
    """A page that asks for these permissions: nobody signed in goes to sign in, the rest get 403.

    The view carries the names, so that a guard test finds views that name none.
    """

    def decorate(view):
        @wraps(view)
        def checked(request, *args, **kwargs):
            if not request.user.is_authenticated:
                return show_the_door(request)
            if not request.user.has_perms(perms):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        checked.needs = perms
        return checked

    return decorate


def open_to_all(view):
    """A page that anybody may see, signed in or not, on purpose."""
    view.needs = ()
    return view


def signed_in(view):
    """A page for everybody who is signed in, on purpose."""

    @wraps(view)
    def checked(request, *args, **kwargs):
        if not request.user.is_authenticated:
            return show_the_door(request)
        return view(request, *args, **kwargs)

    checked.needs = ()
    return checked
