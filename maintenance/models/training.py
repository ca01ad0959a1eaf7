"""Training: courses for roles, sessions with attendance, tests with a score, and who still lacks what. Lessons and help of the
pages are the same material."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from clinic.codes import Role
from clinic.models import Institution
from clinic.models.base import AppendOnlyRow, Row
from maintenance.codes import CourseWay
from maintenance.models.calendar import DistrictRowQuerySet


class Course(Row):
    """``roles`` who need it; ``pages`` names of the addresses whose help it is (the short lesson on the screen)."""

    PRIVATE_FIELDS = frozenset()

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    way = models.CharField(_("way"), max_length=10, choices=CourseWay.choices)
    roles = ArrayField(
        models.CharField(max_length=12, choices=Role.choices),
        default=list,
        blank=True,
        verbose_name=_("roles"),
    )
    pages = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, verbose_name=_("help of the pages")
    )
    # Markdown-free plain text: paragraphs, and lines that begin with a number are steps.
    material = models.TextField(_("material"), max_length=20000, blank=True)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=30)
    # Of 100; empty: without a test, attendance is enough.
    pass_at = models.PositiveSmallIntegerField(
        _("passed from, of 100"), null=True, blank=True, validators=[MaxValueValidator(100)]
    )
    valid_months = models.PositiveSmallIntegerField(_("valid for months"), null=True, blank=True)
    active = models.BooleanField(_("in use"), default=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["code"]

    def __str__(self):
        return self.name


class Question(Row):
    """One of a course's test: ``answers`` to choose from, ``right`` the positions of the right ones."""

    PRIVATE_FIELDS = frozenset()
    deletable = True  # a question that is no longer asked

    course = models.ForeignKey(Course, models.PROTECT, related_name="questions", verbose_name=_("course"))
    words = models.CharField(pgettext_lazy("test", "question"), max_length=300)
    answers = ArrayField(models.CharField(max_length=200), verbose_name=_("answers"))
    right = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("right ones"))
    order = models.PositiveSmallIntegerField(_("order"), default=0)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("test", "question")
        verbose_name_plural = pgettext_lazy("test", "questions")
        ordering = ["course", "order", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(answers__len__gte=2) & Q(right__len__gte=1),
                name="question_can_be_answered",
                violation_error_message=_("A question has two answers at least, and a right one."),
            )
        ]

    def __str__(self):
        return self.words


class Session(Row):
    """A course held at a time and place."""

    PRIVATE_FIELDS = frozenset()

    course = models.ForeignKey(Course, models.PROTECT, related_name="sessions", verbose_name=_("course"))
    institution = models.ForeignKey(
        Institution, models.PROTECT, related_name="+", verbose_name=_("institution")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    place = models.CharField(_("place or address"), max_length=200, blank=True)
    trainer = models.CharField(_("trainer"), max_length=60)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="session_in_order",
                violation_error_message=_("The end lies before the beginning."),
            )
        ]

    def __str__(self):
        return f"{self.course} {timezone.localtime(self.starts_at):%Y-%m-%d}"


class Trainee(models.Model):
    """Who is asked to a session, and whether they came."""

    PRIVATE_FIELDS: frozenset[str] = frozenset()
    deletable = True  # asked by mistake

    session = models.ForeignKey(Session, models.CASCADE, related_name="trainees", verbose_name=_("session"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("staff member")
    )
    came = models.BooleanField(_("came"), null=True)
    history = HistoricalRecords()

    objects = DistrictRowQuerySet.as_manager()

    class Meta:
        verbose_name = _("trainee")
        verbose_name_plural = _("trainees")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "person"], name="trainee_once",
                violation_error_message=_("This person is on the list already."),
            )
        ]  # fmt: skip

    def __str__(self):
        return str(self.person)


class Attempt(AppendOnlyRow):
    """A test that somebody took: the answers, the score of 100, passed or not."""

    PRIVATE_FIELDS = frozenset({"given", "score"})

    course = models.ForeignKey(Course, models.PROTECT, related_name="attempts", verbose_name=_("course"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("staff member")
    )
    key = models.UUIDField(unique=True, editable=False)
    at = models.DateTimeField(_("at"), default=timezone.now)
    given = models.JSONField(_("answers"), default=list)
    score = models.PositiveSmallIntegerField(_("score, of 100"))
    passed = models.BooleanField(_("passed"))

    class OwnQuerySet(models.QuerySet):
        def visible_to(self, user):
            """One's own; those of one's institution and below it for who keeps the training."""
            if not user.is_authenticated:
                return self.none()
            if user.has_perm("maintenance.view_certificate"):
                return self.filter(
                    Q(person=user) | Q(person__institution__path__startswith=user.institution.path)
                )
            return self.filter(person=user)

    objects = OwnQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("test taken")
        verbose_name_plural = _("tests taken")
        ordering = ["-at"]
        indexes = [models.Index(fields=["person", "course"], name="attempt_of_person")]

    def __str__(self):
        return f"{self.person} {self.score}"


class Certificate(AppendOnlyRow):
    """What somebody has learnt, from a day on, until when it holds."""

    PRIVATE_FIELDS = frozenset()

    course = models.ForeignKey(Course, models.PROTECT, related_name="certificates", verbose_name=_("course"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="certificates", verbose_name=_("staff member")
    )
    number = models.CharField(_("number"), max_length=40, unique=True)
    given_on = models.DateField(_("given on"))
    until = models.DateField(_("valid until"), null=True)

    objects = Attempt.OwnQuerySet.as_manager()

    class Meta(AppendOnlyRow.Meta):
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["-given_on"]
        indexes = [models.Index(fields=["person", "course"], name="certificate_of_person")]

    def __str__(self):
        return self.number
