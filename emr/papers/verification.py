"""Proof that sealed copies and copies handed out are what they were, for ``manage.py verify``."""

import json

from django.utils.translation import gettext as _

from clinic.verification import Finding, Scope
from emr import papers
from emr.models import CopyIssue, SealedCopy

BATCH = 200
NAMED = 20
# What stands beside the content as columns, and in it under "occasion".
SEALED_FACTS = (
    "hospital_party",
    "patient_party",
    "relation",
    "id_type",
    "id_number",
    "reason",
    "medium",
    "location",
)
COPIED_FACTS = (
    "applicant",
    "relation",
    "id_type",
    "id_number",
    "purpose",
    "scope",
    "paper",
    "pages",
    "stamped_by",
)


def all_papers(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check for registry.checks: hashes, signatures, the columns beside the content, and gaps in the numbers."""
    broken, notes, count = [], [], 0
    for model, facts in ((SealedCopy, SEALED_FACTS), (CopyIssue, COPIED_FACTS)):
        rows = model.objects.select_related("institution").order_by("pk")
        if scope.institution:
            rows = rows.filter(institution=scope.institution)
        for row in rows.iterator(BATCH):
            count += 1
            sound = _is_sound(row, facts)
            if sound is None:
                notes.append(
                    _("%(number)s: its public key is missing, so its signature was not checked.")
                    % {"number": row.number}
                )
            elif not sound:
                broken.append(row.number)
        if not scope.institution:
            broken += [_("%(number)s (missing)") % {"number": number} for number in missing(model)]
    if broken:
        words = {"numbers": ", ".join(broken[:NAMED]), "count": len(broken)}
        return Finding(False, _("Copies: %(count)d changed or missing: %(numbers)s.") % words, notes)
    return Finding(True, _("Copies: %(count)d handed out or sealed, none changed.") % {"count": count}, notes)


def missing(model) -> list[str]:
    """Numbers that a day's later numbers prove to have been given. A day's last one leaves no gap; the audit
    trail tells of that."""
    found = {}
    for number in model.objects.values_list("number", flat=True).iterator(BATCH * 10):
        head, _dash, tail = number.rpartition("-")
        found.setdefault(head, set()).add(int(tail))
    return sorted(
        f"{head}-{number:03d}"
        for head, given in found.items()
        for number in set(range(1, max(given) + 1)) - given
    )


def _is_sound(row, facts):
    sound = papers.is_unchanged(row)
    if sound is False:
        return False
    content = json.loads(row.content)
    occasion = content["occasion"]
    same = (
        content["number"] == row.number
        and content["institution"]["code"] == row.institution.code
        and papers.items(content["visits"]) == row.items
        and all(occasion[name] == getattr(row, name) for name in facts)
    )
    return sound if same else False
