"""Proof that what was frozen stands, for ``manage.py verify``: statements by their hash, penalties by their facts."""

from django.utils.translation import gettext as _

from clinic.verification import Finding, Scope
from maintenance import penalty
from maintenance.actions import reports
from maintenance.actions.breaches import hash_of
from maintenance.models import Breach, Statement, WeeklyReport

NAMED = 20


def contract(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """Every statement comes to its hash, every breach to its amount."""
    notes, statements, breaches = [], 0, 0
    for row in Statement.objects.select_related("contract").iterator():
        statements += 1
        if hash_of(row.contract, row.month, row.lines, row.total) != row.sha256:
            notes.append(_("The statement %(what)s does not match its hash.") % {"what": row})
    for row in Breach.objects.select_related("clause").iterator():
        breaches += 1
        if penalty.reckon(row.facts, row.facts.get("minutes_over", 0)) != row.amount:
            notes.append(_("The penalty of %(what)s does not follow from its facts.") % {"what": row})
    facts = {"statements": statements, "breaches": breaches, "broken": len(notes)}
    if notes:
        return Finding(False, _("Vendor's contract: %(broken)d of %(statements)d statements and %(breaches)d breaches are broken.") % facts, notes[:NAMED])  # fmt: skip
    return Finding(
        True,
        _("Vendor's contract: %(statements)d statements and %(breaches)d breaches, none broken.") % facts,
    )


def weekly_reports(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """Every signed report comes to its hash."""
    rows = list(WeeklyReport.objects.exclude(signed_at=None))
    notes = [
        _("The weekly report %(what)s does not match its hash.") % {"what": row}
        for row in rows
        if reports.hash_of(row) != row.sha256
    ]
    facts = {"signed": len(rows), "broken": len(notes)}
    if notes:
        return Finding(
            False,
            _("Weekly reports: %(broken)d of %(signed)d signed ones are broken.") % facts,
            notes[:NAMED],
        )
    return Finding(True, _("Weekly reports: %(signed)d signed, none broken.") % facts)
