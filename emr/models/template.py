"""Templates 模板: words that a doctor, an institution or the district keeps ready."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from clinic import pinyin
from clinic.models import Institution
from clinic.models.base import Row
from emr.codes import TemplateKind


class NoteTemplateQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, those of one's own institution and of all above it; of those below too, for who shares."""
        if not user.has_perm("emr.view_notetemplate"):
            return self.none()
        shared = Q(institution__path__in=user.institution.paths_up)
        if user.has_perm("emr.share_notetemplate"):
            shared |= Q(institution__path__startswith=user.institution.path)
        return self.filter(Q(owner=user) | (Q(owner=None) & shared))

    def usable_by(self, user):
        """Switched on, and of the user's department where it names one."""
        return self.filter(Q(department="") | Q(department=user.department), active=True)

    def editable_by(self, user):
        """One's own; shared ones of one's institution and below it, for who may share."""
        own = Q(owner=user)
        if user.has_perm("emr.share_notetemplate"):
            own |= Q(owner=None, institution__path__startswith=user.institution.path)
        return self.filter(own) if user.has_perm("emr.change_notetemplate") else self.none()


class NoteTemplate(Row):
    """``content`` holds draft fields as a note does: one field of text, or a whole plan 诊疗方案. Holes to fill
    stand in the text as 【…】; Tab goes from one to the next. Never a resident's data."""

    PRIVATE_FIELDS = frozenset()

    kind = models.CharField(_("kind"), max_length=10, choices=TemplateKind.choices)
    field = models.CharField(_("field"), max_length=20, blank=True)  # of a text template: where it goes
    name = models.CharField(_("name"), max_length=60)
    pinyin = models.CharField(max_length=300, editable=False, blank=True)
    initials = models.CharField(max_length=60, editable=False, blank=True)
    content = models.JSONField(_("content"), default=dict)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="note_templates",
        verbose_name=_("owner"),
    )  # fmt: skip
    institution = models.ForeignKey(
        Institution, models.PROTECT, null=True, blank=True, related_name="note_templates",
        verbose_name=_("institution"),
    )  # fmt: skip
    department = models.CharField(_("department"), max_length=30, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("by"),
    )
    made_at = models.DateTimeField(_("made at"), default=timezone.now, editable=False)
    key = models.UUIDField(_("client's key"), null=True, unique=True, editable=False)
    history = HistoricalRecords(excluded_fields=["pinyin", "initials"])

    objects = NoteTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]
        permissions = [("share_notetemplate", "Can share templates with an institution")]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner=None, institution__isnull=False) | Q(owner__isnull=False, institution=None),
                name="template_one_scope",
                violation_error_message=_("A template belongs to a person or to an institution."),
            ),
            models.UniqueConstraint(
                fields=["owner", "name", "field"], condition=Q(owner__isnull=False, active=True),
                name="template_own_name",
                violation_error_message=_("You have a template of this name already."),
            ),
        ]  # fmt: skip

    def __str__(self):
        return self.name

    def save(self, *args, update_fields=None, **kwargs):
        self.pinyin, self.initials = pinyin.spell(self.name)
        if update_fields is not None:
            update_fields = {*update_fields, "pinyin", "initials"}
        super().save(*args, update_fields=update_fields, **kwargs)
