from contracts.models.agreement import Agreement, AgreementCounter, AgreementPackage, Signature
from contracts.models.batch import Batch, BatchLine
from contracts.models.figure import Figure
from contracts.models.fulfilment import Evidence, HomeVisit, PlanItem
from contracts.models.package import AgreementText, Package, PackageItem, PackageVersion
from contracts.models.practice import Population, SigningPractice
from contracts.models.reminder import NotSigned, Reminder
from contracts.models.switch import SwitchRequest
from contracts.models.team import Team, TeamArea, TeamMember

__all__ = [
    "Agreement", "AgreementCounter", "AgreementPackage", "AgreementText", "Batch", "BatchLine", "Evidence", "Figure",
    "HomeVisit", "NotSigned", "Package", "PackageItem", "PackageVersion", "PlanItem", "Population", "Reminder",
    "Signature", "SigningPractice", "SwitchRequest", "Team", "TeamArea", "TeamMember",
]  # fmt: skip
