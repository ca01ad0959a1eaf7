"""What people of maintenance do first, on the station desk's first page."""

from django.utils.translation import gettext_lazy as _

from clinic.registry import DeskTile

TILES = [
    DeskTile("tickets", _("Tickets"), _("Report, follow, confirm"), ("maintenance.add_ticket",), order=60),
    DeskTile("board", _("Board"), _("What is overdue, for a screen on the wall"), ("maintenance.see_board",), order=61),
    DeskTile("contract", _("Vendor's contract"), _("Clauses, breaches, penalties, payments"), ("maintenance.view_vendorcontract",), order=66),
    DeskTile("admin:maintenance_vendorcontract_changelist", _("Contracts entered"), _("Terms, clauses and payments"), ("maintenance.change_vendorcontract",), order=67),
    DeskTile("admin:maintenance_contact_changelist", _("Whom to call"), _("The contacts of each side, with deputies"), ("maintenance.view_contact",), order=62),
    DeskTile("admin:maintenance_servicelevel_changelist", _("Service levels"), _("Times to respond and to resolve"), ("maintenance.change_servicelevel",), order=63),
    DeskTile("admin:maintenance_workcalendar_changelist", _("Work calendars"), _("Working hours and lunch breaks"), ("maintenance.change_workcalendar",), order=64),
    DeskTile("admin:maintenance_workday_changelist", _("Special days"), _("Holidays and moved working days"), ("maintenance.change_workday",), order=65),
    DeskTile("weekly", _("Weekly reports"), _("Made from data, signed, printed"), ("maintenance.view_weeklyreport",), order=68),
    DeskTile("meetings", _("Meetings"), _("Agenda, minutes, what is left to do"), ("maintenance.view_meeting",), order=69),
    DeskTile("upgrades", _("Upgrades"), _("Plans, acknowledgements, what is coming"), ("maintenance.view_upgrade",), order=59),
    DeskTile("training", _("Training"), _("Lessons, tests, certificates, who lacks what"), ("maintenance.view_course",), order=74),
    DeskTile("emergency", _("Emergency and paper"), _("Plans, drills, blank notes, the waiting list on paper"), ("maintenance.view_emergencyplan",), order=58),
    DeskTile("equipment", _("Equipment"), _("What stands where, and whether the lines answer"), ("maintenance.view_equipment",), order=72),
    DeskTile("admin:maintenance_equipment_changelist", _("Equipment entered"), _("New things, changes, replacement"), ("maintenance.change_equipment",), order=73),
    DeskTile("admin:maintenance_emergencyplan_changelist", _("Emergency plans"), _("Steps, roles and telephones"), ("maintenance.change_emergencyplan",), order=71),
    DeskTile("admin:maintenance_backup_changelist", _("Backups"), _("When the last good one was taken and checked"), ("maintenance.view_backup",), order=70),
]  # fmt: skip
