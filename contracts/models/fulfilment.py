"""Fulfilment 履约: what an agreement promises, in which window, and what proves that it was done."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic.models import Institution, Resident
from clinic.models.base import Row
from contracts.codes import EvidenceKind, EvidenceState
from contracts.models.agreement import LISTED_OF_RESIDENT, Agreement, OfAgreementQuerySet
from contracts.models.package import PackageItem
from contracts.models.team import Team
from emr.models import Encounter
from messaging.models import Message


class PlanItemQuerySet(OfAgreementQuerySet):
    def open(self):
        """Not done yet, and its agreement goes on."""
        return self.filter(done__lt=F("times"), closed_on=None)

    def due_on(self, day):
        """Open, and the day lies in the window."""
        return self.open().filter(due_from__lte=day, due_to__gte=day)

    def listed(self):
        """With what a list shows of each and of its resident, and nothing else."""
        return self.select_related("item", "agreement__resident").only(
            "uuid", "due_from", "due_to", "times", "done", "item__name", "item__service", "agreement__uuid",
            *(f"agreement__resident__{name}" for name in LISTED_OF_RESIDENT),
        )  # fmt: skip

    def close(self, day):
        """The agreements of these ended: what is open of them is no longer due; returns how many. Locked in one order,
        which the job that proposes evidence keeps as well."""
        locked = self.open().order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True)
        return self.model.objects.filter(pk__in=list(locked)).update(closed_on=day)


class PlanItem(models.Model):
    """One service due ``times`` times from ``due_from`` to ``due_to``. ``done`` counts its confirmed evidence (kept by
    contracts.actions.fulfilment under a lock; ``manage.py verify`` adds up). Millions of them: no history, their
    evidence tells it."""

    PRIVATE_FIELDS: frozenset[str] = frozenset({"agreement", "done"})

    uuid = models.UUIDField(_("public id"), unique=True, editable=False)
    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="plan", verbose_name=_("agreement"))
    # Its agreement's, for lists.
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("team"))
    item = models.ForeignKey(PackageItem, models.PROTECT, related_name="plan", verbose_name=_("service"))
    due_from = models.DateField(_("due from"))
    due_to = models.DateField(_("due until"))
    times = models.PositiveSmallIntegerField(_("times"))
    done = models.PositiveSmallIntegerField(_("done"), default=0)
    # Its agreement ended before: no longer due, neither done nor missed.
    closed_on = models.DateField(_("closed on"), null=True)

    objects = PlanItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("planned service")
        verbose_name_plural = _("planned services")
        ordering = ["due_to", "pk"]
        indexes = [
            models.Index(
                fields=["team", "due_to"],
                name="plan_due",
                condition=Q(done__lt=F("times"), closed_on=None),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "item", "due_from"], name="plan_item_once"),
            models.CheckConstraint(condition=Q(due_to__gte=F("due_from")), name="plan_window_in_order"),
        ]

    def __str__(self):
        return str(self.item)


class HomeVisit(Row):
    """A visit to the resident's home 上门服务: when, by whom, what was done."""

    PRIVATE_FIELDS = frozenset({"resident", "did", "found"})

    resident = models.ForeignKey(
        Resident, models.PROTECT, related_name="home_visits", verbose_name=_("resident")
    )
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="home_visits", verbose_name=_("institution")
    )
    on = models.DateField(_("day"), default=timezone.localdate)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="home_visits", verbose_name=_("visited by")
    )
    did = models.CharField(_("what was done"), max_length=300)
    found = models.CharField(_("what was found"), max_length=300, blank=True)
    made_at = models.DateTimeField(_("written at"), default=timezone.now)
    history = HistoricalRecords()

    class HomeVisitQuerySet(models.QuerySet):
        def visible_to(self, user):
            if not (user.is_authenticated and user.has_perm("contracts.view_homevisit")):
                return self.none()
            return self.filter(resident__in=Resident.objects.visible_to(user))

    objects = HomeVisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("home visit")
        verbose_name_plural = _("home visits")
        ordering = ["-on", "-pk"]
        indexes = [models.Index(fields=["made_at"], name="home_visit_newest")]

    def __str__(self):
        return f"{self.on}"


class EvidenceQuerySet(models.QuerySet):
    def visible_to(self, user):
        if not (user.is_authenticated and user.has_perm("contracts.view_agreement")):
            return self.none()
        return self.filter(plan__agreement__in=Agreement.objects.visible_to(user))

    def listed(self):
        """With what a list shows of each, its service and its resident, and nothing else."""
        return self.select_related("plan__item", "plan__agreement__resident", "home_visit", "done_by").only(
            "uuid", "kind", "on", "plan__done", "plan__times", "plan__due_to", "plan__item__name", "plan__agreement__uuid",
            "home_visit__did", "done_by__name", *(f"plan__agreement__resident__{name}" for name in LISTED_OF_RESIDENT),
        )  # fmt: skip

    def proposed(self):
        return self.filter(state=EvidenceState.PROPOSED)

    def confirmed(self):
        return self.filter(state=EvidenceState.CONFIRMED)


class Evidence(Row):
    """What shows that a planned service was done. A signed visit, a home visit or a delivered message proposes itself
    (contracts.jobs); a person confirms. What it points at never changes, its state goes proposed → confirmed or
    declined, declined → confirmed, confirmed → withdrawn (trigger contracts_evidence_hold)."""

    PRIVATE_FIELDS = frozenset({"plan", "encounter", "message", "home_visit", "note"})

    plan = models.ForeignKey(
        PlanItem, models.PROTECT, related_name="evidence", verbose_name=_("planned service")
    )
    # Its plan's, for lists.
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("team"))
    kind = models.CharField(_("kind"), max_length=10, choices=EvidenceKind.choices)
    state = models.CharField(
        _("state"), max_length=10, choices=EvidenceState.choices, default=EvidenceState.PROPOSED
    )
    on = models.DateField(_("day of the service"))
    encounter = models.ForeignKey(
        Encounter, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("visit")
    )
    message = models.ForeignKey(
        Message, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("message")
    )
    home_visit = models.ForeignKey(
        HomeVisit, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("home visit")
    )
    note = models.CharField(_("what was done"), max_length=200, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("done by")
    )
    made_at = models.DateTimeField(_("written at"), default=timezone.now)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    history = HistoricalRecords()

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("evidence of a service")
        verbose_name_plural = _("evidence of services")
        ordering = ["-on", "-pk"]
        permissions = [("confirm_evidence", "Can confirm that a service was done")]
        indexes = [
            models.Index(fields=["team", "-on"], name="evidence_to_confirm", condition=Q(state="proposed")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="visit", encounter__isnull=False, message=None, home_visit=None)
                | Q(kind="message", encounter=None, message__isnull=False, home_visit=None)
                | Q(kind="home_visit", encounter=None, message=None, home_visit__isnull=False)
                | (Q(kind="by_hand", encounter=None, message=None, home_visit=None) & ~Q(note="")),
                name="evidence_of_its_kind",
                violation_error_message=_("What was done? Evidence entered by hand says it in words."),
            ),
            models.UniqueConstraint(
                fields=["plan", "encounter"], condition=~Q(state="withdrawn"), name="evidence_visit_once"
            ),
            models.UniqueConstraint(
                fields=["plan", "message"], condition=~Q(state="withdrawn"), name="evidence_message_once"
            ),
            models.UniqueConstraint(
                fields=["plan", "home_visit"], condition=~Q(state="withdrawn"), name="evidence_home_once"
            ),
        ]

    def __str__(self):
        return self.get_kind_display()
