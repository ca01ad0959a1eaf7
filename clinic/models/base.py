"""What every table of the house shares."""

import uuid

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _


class Row(models.Model):
    """A row that people meet by its ``uuid``; the number stays inside the database (rule 13).

    Each concrete model names its private fields; tests/guards counts them (rule 11).
    """

    PRIVATE_FIELDS: frozenset[str] = frozenset()

    uuid = models.UUIDField(_("public id"), default=uuid.uuid4, unique=True, editable=False)

    class Meta:
        abstract = True


class AppendOnlyRow(models.Model):
    """A row that is written once. The app's role holds neither UPDATE nor DELETE on it
    (clinic.database.grant_app_role), and the trigger says so to everybody else."""

    append_only = True
    PRIVATE_FIELDS: frozenset[str] = frozenset()

    class Meta:
        abstract = True
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]
