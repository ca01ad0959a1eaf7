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
from clinic.rights import (
    ADMINISTER_RECORDS,
    AGREEMENT_DESK,
    ALLOW_PICTURES,
    APPROVE_UPGRADES,
    CALLS,
    CARE,
    CARRIERS,
    CONSENTS,
    CONTACTS,
    COPIES,
    CORRECT,
    COURSES,
    FIGURES,
    FIND_RESIDENTS,
    KEEP_THINGS,
    KIT_KEYS,
    KITS,
    LEARN,
    LESS_TO_TYPE,
    LOOK,
    OWN_SAVES,
    PACKAGES,
    PAPER,
    PLAN_UPGRADES,
    PREPARE_EMERGENCIES,
    PROMISES,
    READ_RECORD,
    RECEPTION,
    REFERRALS,
    REGISTER,
    REPORT_FAULTS,
    RUN_MESSAGES,
    RUN_TEAMS,
    RUN_UPGRADES,
    SEE_AGREEMENTS,
    SEE_BACKUPS,
    SEE_CONTRACT,
    SEE_EMERGENCIES,
    SEE_MESSAGES,
    SEE_REPORTS,
    SEE_THINGS,
    SEE_UPGRADES,
    SERVE,
    SHARED_PRACTICE,
    SIGN_AGREEMENTS,
    SPEAK,
    SPREADSHEETS,
    TERMS,
    TRAIL,
    TRAIN,
    VENDOR_CONTRACT,
    WORK_ON_FAULTS,
    WRITE_RECORD,
    WRITE_REPORTS,
)


@dataclass(frozen=True)
class Grant:
    sentence: str
    permissions: frozenset[str]


def grant(sentence, *bundles):
    return Grant(sentence, frozenset().union(*bundles))


ROLES = {
    Role.DOCTOR: grant(
        _("Sees patients: charts, signs, prints, and reviews the notes of assistants."),
        LOOK, FIND_RESIDENTS, REGISTER, READ_RECORD, CARE, WRITE_RECORD, RECEPTION, {"emr.review_note"},
        LESS_TO_TYPE, OWN_SAVES, CORRECT, REFERRALS, COPIES, {"messaging.view_consent", "messaging.add_consent"},
        SEE_AGREEMENTS, SIGN_AGREEMENTS, SERVE, {"contracts.decide_switchrequest"}, REPORT_FAULTS,
        LEARN, SEE_EMERGENCIES, PAPER, KITS,
    ),
    Role.ASSISTANT: grant(
        _("Sees patients under supervision: what is signed waits for a doctor's review."),
        LOOK, FIND_RESIDENTS, REGISTER, READ_RECORD, CARE, WRITE_RECORD, RECEPTION,
        LESS_TO_TYPE, OWN_SAVES, CORRECT, REFERRALS, {"contracts.view_team", "contracts.view_agreement"}, REPORT_FAULTS,
        LEARN, SEE_EMERGENCIES, PAPER, KITS,
    ),
    Role.NURSE: grant(
        _("Keeps the waiting list, takes vital signs and asks for allergies."),
        LOOK, FIND_RESIDENTS, READ_RECORD - {"emr.print_note"}, CARE, RECEPTION, {"emr.view_referral", "emr.file_insurance"},
        CALLS, {"messaging.view_consent", "messaging.add_consent"}, SEE_AGREEMENTS, SIGN_AGREEMENTS, SERVE, REPORT_FAULTS,
        LEARN, SEE_EMERGENCIES, PAPER, KITS,
    ),
    Role.CLERK: grant(
        _("Registers residents, checks them in, signs agreements and sends messages; reads no clinical text."),
        LOOK, FIND_RESIDENTS, REGISTER, SPREADSHEETS, RECEPTION, SEE_MESSAGES, SPEAK, CALLS, CONSENTS,
        SEE_AGREEMENTS, SIGN_AGREEMENTS, AGREEMENT_DESK, REPORT_FAULTS,
        LEARN, SEE_EMERGENCIES, PAPER,
    ),
    Role.MANAGER: grant(
        _("Runs a centre as its medical administration: reads records and approves changes to archived ones."),
        LOOK, FIND_RESIDENTS, READ_RECORD, SPREADSHEETS, TERMS, TRAIL, ADMINISTER_RECORDS, COPIES, SHARED_PRACTICE,
        SEE_MESSAGES, SPEAK, CALLS, CONSENTS, RUN_MESSAGES, {"messaging.export_campaign"},
        SEE_AGREEMENTS, SIGN_AGREEMENTS, AGREEMENT_DESK, RUN_TEAMS, PACKAGES,
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS,
        ALLOW_PICTURES, SEE_REPORTS, SEE_UPGRADES, {"maintenance.acknowledge_upgrade"}, SEE_EMERGENCIES, PREPARE_EMERGENCIES,
        PAPER, KITS, KIT_KEYS, SEE_THINGS, LEARN, TRAIN,
    ),
    Role.CENTRE_IT: grant(
        _("Keeps a centre's computers running; sees no patient."), LOOK, {"clinic.view_operations"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS,
        ALLOW_PICTURES, SEE_REPORTS, SEE_UPGRADES, {"maintenance.acknowledge_upgrade"}, SEE_EMERGENCIES, PREPARE_EMERGENCIES,
        SEE_THINGS, KEEP_THINGS, LEARN, TRAIN,
    ),
    Role.DISTRICT: grant(
        _("Runs the district's business: institutions, neighbourhoods, terms, messages, packages; sees no single patient."),
        LOOK, TERMS, SHARED_PRACTICE, SPEAK, RUN_MESSAGES, PACKAGES, FIGURES,
        {"messaging.view_gateway", "messaging.view_route", "messaging.add_quota", "messaging.change_quota",
         "messaging.fill_quota", "messaging.exceed_quota", "messaging.decide_quotaloan"},
        {"clinic.add_institution", "clinic.change_institution", "clinic.add_community", "clinic.change_community"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS, SEE_CONTRACT, VENDOR_CONTRACT,
        ALLOW_PICTURES, SEE_REPORTS, WRITE_REPORTS, {"maintenance.sign_weeklyreport"}, SEE_UPGRADES, APPROVE_UPGRADES,
        SEE_EMERGENCIES, PREPARE_EMERGENCIES, SEE_THINGS, LEARN, TRAIN, COURSES,
    ),
    Role.DISTRICT_IT: grant(
        _("Keeps the district's system and its carriers running; sees no patient."),
        LOOK, TERMS, {"clinic.view_operations"}, CARRIERS,
        {"messaging.view_numberoverride", "messaging.add_numberoverride", "messaging.change_numberoverride"},
        REPORT_FAULTS, WORK_ON_FAULTS, CONTACTS, PROMISES, SEE_CONTRACT,
        ALLOW_PICTURES, SEE_REPORTS, WRITE_REPORTS, SEE_UPGRADES, PLAN_UPGRADES, RUN_UPGRADES, SEE_EMERGENCIES,
        PREPARE_EMERGENCIES, SEE_THINGS, KEEP_THINGS, SEE_BACKUPS, LEARN, TRAIN, COURSES,
    ),
    Role.VENDOR: grant(
        _("Mends the system for the vendor; sees no patient and no clinical text."), {"clinic.view_institution"},
        REPORT_FAULTS, WORK_ON_FAULTS, SEE_CONTRACT, {"maintenance.object_breach"},
        SEE_REPORTS, SEE_UPGRADES, PLAN_UPGRADES, SEE_EMERGENCIES, SEE_THINGS, LEARN,
    ),
    Role.AUDITOR: grant(
        _("Reads the audit trail of the institution and all below it."), LOOK, TRAIL, {"clinic.export_auditentry", "maintenance.view_ticket"},
        REPORT_FAULTS,
        LEARN,
    ),
    Role.SYSADMIN: grant(
        _("Keeps institutions and accounts; grants no role and sees no patient."),
        LOOK,
        {"clinic.add_user", "clinic.change_user", "clinic.add_institution", "clinic.change_institution",
         "clinic.view_operations"},
        REPORT_FAULTS,
        LEARN, SEE_BACKUPS,
    ),
    Role.SECADMIN: grant(
        _("Grants roles and unlocks accounts; sees no patient."),
        LOOK, {"clinic.change_user", "clinic.assign_role", "clinic.unlock_user"}, REPORT_FAULTS,
        LEARN,
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
