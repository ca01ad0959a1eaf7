"""Rights that go together, named for what one does with them. Roles are made of them in ``clinic/permissions.py``."""

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
ALLOW_PICTURES = {"maintenance.view_picturegrant", "maintenance.add_picturegrant"}
SEE_REPORTS = {
    "maintenance.view_weeklyreport",
    "maintenance.view_meeting",
    "maintenance.view_attendance",
    "maintenance.view_actionitem",
}
WRITE_REPORTS = {
    "maintenance.add_weeklyreport",
    "maintenance.change_weeklyreport",
    "maintenance.add_meeting",
    "maintenance.change_meeting",
    "maintenance.add_actionitem",
    "maintenance.change_actionitem",
}
SEE_UPGRADES = {"maintenance.view_upgrade", "maintenance.view_notice"}
PLAN_UPGRADES = {"maintenance.add_upgrade", "maintenance.change_upgrade"}
RUN_UPGRADES = {"maintenance.assess_upgrade", "maintenance.run_upgrade"}
APPROVE_UPGRADES = {"maintenance.approve_upgrade", "maintenance.override_upgrade"}
SEE_EMERGENCIES = {"maintenance.view_emergencyplan", "maintenance.view_drill"}
PREPARE_EMERGENCIES = {
    "maintenance.add_emergencyplan",
    "maintenance.change_emergencyplan",
    "maintenance.add_drill",
    "maintenance.change_drill",
}
PAPER = {"maintenance.view_paperpad", "maintenance.add_paperpad"}
KITS = {"maintenance.view_offlinekit"}
KIT_KEYS = {"maintenance.set_kitkey"}
SEE_THINGS = {"maintenance.view_equipment"}
KEEP_THINGS = {"maintenance.add_equipment", "maintenance.change_equipment"}
SEE_BACKUPS = {"maintenance.view_backup"}
LEARN = {"maintenance.view_course"}
TRAIN = {
    "maintenance.view_session",
    "maintenance.add_session",
    "maintenance.change_session",
    "maintenance.view_certificate",
}
COURSES = {
    "maintenance.add_course",
    "maintenance.change_course",
    "maintenance.view_question",
    "maintenance.add_question",
    "maintenance.change_question",
}
