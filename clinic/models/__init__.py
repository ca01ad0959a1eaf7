"""Tables of the ground floor, one file per noun."""

from clinic.models.access import AccessGrant
from clinic.models.audit import AuditAnchor, AuditEntry, AuditLink
from clinic.models.health import Allergy, Problem
from clinic.models.household import Household
from clinic.models.institution import Community, Institution
from clinic.models.lease import Lease
from clinic.models.metering import RequestMinute
from clinic.models.resident import KeyTag, RecordNumberCounter, Resident, ResidentMerge
from clinic.models.user import PasswordRecord, User

__all__ = [
    "AccessGrant",
    "Allergy",
    "AuditAnchor",
    "AuditEntry",
    "AuditLink",
    "Community",
    "Household",
    "Institution",
    "KeyTag",
    "Lease",
    "PasswordRecord",
    "Problem",
    "RecordNumberCounter",
    "RequestMinute",
    "Resident",
    "ResidentMerge",
    "User",
]
