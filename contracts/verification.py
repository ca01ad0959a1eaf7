"""Proof that agreements are whole, for ``manage.py verify``: what was signed has its plan and its packages' fee, what counts
as done has its evidence, nobody has two at a time. One snapshot; named are numbers of agreements, never people."""

from contextlib import contextmanager

from django.db import connection, transaction
from django.utils.translation import gettext as _

from clinic.verification import Finding, Scope

NAMED = 20

COUNTED = "SELECT count(*) FROM contracts_agreement a WHERE {scope}"
OF_PLACE = "a.institution_id = ANY(%(places)s)"
# Each: the sentence, and the statement that finds numbers of agreements.
CHECKS = (
    (
        "done",
        """
        SELECT a.number FROM contracts_planitem p JOIN contracts_agreement a ON a.id = p.agreement_id
        LEFT JOIN (SELECT plan_id, count(*) AS proofs FROM contracts_evidence WHERE state = 'confirmed' GROUP BY plan_id) e
            ON e.plan_id = p.id
        WHERE p.done <> coalesce(e.proofs, 0) AND {scope}
        """,
    ),
    (
        "served",
        """
        SELECT a.number FROM contracts_agreement a
        LEFT JOIN (SELECT p.agreement_id, max(e."on") AS last FROM contracts_evidence e
            JOIN contracts_planitem p ON p.id = e.plan_id WHERE e.state = 'confirmed' GROUP BY 1) s ON s.agreement_id = a.id
        WHERE a.last_served_on IS DISTINCT FROM s.last AND {scope}
        """,
    ),
    (
        "fee",
        """
        SELECT a.number FROM contracts_agreement a JOIN (
            SELECT agreement_id, sum(price) AS price, sum(waiver) AS waiver FROM contracts_agreementpackage GROUP BY 1
        ) p ON p.agreement_id = a.id
        WHERE a.source <> 'import' AND (a.fee, a.waived) <> (p.price * a.years, p.waiver * a.years) AND {scope}
        """,
    ),
    (
        "plan",
        """
        SELECT a.number FROM contracts_agreement a
        WHERE a.state IN ('signed', 'deemed') AND a.source <> 'import' AND {scope}
            AND EXISTS (SELECT FROM contracts_agreementpackage k JOIN contracts_packageitem i ON i.version_id = k.version_id
                WHERE k.agreement_id = a.id AND i.age_from IS NULL AND i.age_to IS NULL AND i.sex = '' AND i.groups = '[]')
            AND NOT EXISTS (SELECT FROM contracts_planitem p WHERE p.agreement_id = a.id)
        """,
    ),
    (
        "twice",
        """
        WITH alive AS (
            SELECT x.id, x.start, x."end", COALESCE(r.merged_into_id, r.id) AS person
            FROM contracts_agreement x JOIN clinic_resident r ON r.id = x.resident_id
            WHERE x.state IN ('pending', 'signed', 'deemed')
        )
        SELECT a.number FROM contracts_agreement a JOIN alive m ON m.id = a.id JOIN alive o ON o.person = m.person AND o.id > m.id
        WHERE m.start <= o."end" AND o.start <= m."end" AND {scope}
        """,
    ),
    (
        "signature",
        """
        SELECT a.number FROM contracts_agreement a JOIN contracts_signature s ON s.agreement_id = a.id
        WHERE encode(sha256(s.picture), 'hex') <> s.sha256 AND {scope}
        """,
    ),
)


def agreements(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check for registry.checks; of one institution, its own agreements."""
    places = [scope.institution.pk] if scope.institution else None
    where = OF_PLACE if places else "true"
    broken = []
    with _snapshot(), connection.cursor() as cursor:
        for done, (name, statement) in enumerate(CHECKS):
            scope.progress(done, len(CHECKS))
            cursor.execute(statement.format(scope=where), {"places": places})
            numbers = [number for (number,) in cursor.fetchall()]
            if numbers:
                broken.append(
                    _sentence(name) % {"count": len(numbers), "numbers": ", ".join(numbers[:NAMED])}
                )
        cursor.execute(COUNTED.format(scope=where), {"places": places})
        count = cursor.fetchone()[0]
    if broken:
        return Finding(False, _("Agreements: ") + " ".join(broken))
    return Finding(True, _("Agreements: %(count)d, all whole.") % {"count": count})


@contextmanager
def _snapshot():
    """One view of everything. Inside somebody's transaction: theirs."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _sentence(name):
    return {
        "done": _("what counts as done has other evidence (%(count)d): %(numbers)s."),
        "served": _("the last day of service is another (%(count)d): %(numbers)s."),
        "fee": _("the fee is not that of the packages (%(count)d): %(numbers)s."),
        "plan": _("there is no plan (%(count)d): %(numbers)s."),
        "twice": _("another one at the same time (%(count)d): %(numbers)s."),
        "signature": _("the signature was changed (%(count)d): %(numbers)s."),
    }[name]
