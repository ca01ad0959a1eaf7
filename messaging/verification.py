"""Proof that every message is accounted for: created = the sum over all states, counted row by row and as the tallies
say; and what messages say of themselves is what their attempts, answers and receipts say.

Everything is read in one snapshot, so that a campaign under way looks whole. Named are campaigns, states and public
ids, never a number, a text or a resident.
"""

from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic.verification import Finding, Scope
from messaging.codes import MessageState

MOST = 20
# Of a claim whose dispatcher is dead and nobody took over: longer, and nobody is looking after the queue.
ABANDONED_MINUTES = 10

TALLIED = """
    WITH counted AS (
        SELECT m.campaign_id, m.institution_id, m.gateway_id, m.carrier, m.state, m.reason,
            count(*) AS messages, sum(m.segments) AS segments
        FROM messaging_message m {scope} GROUP BY 1, 2, 3, 4, 5, 6
    ), told AS (
        SELECT m.campaign_id, m.institution_id, m.gateway_id, m.carrier, m.state, m.reason,
            sum(m.messages) AS messages, sum(m.segments) AS segments
        FROM messaging_tally m {scope} GROUP BY 1, 2, 3, 4, 5, 6
    ), apart AS (
        SELECT coalesce(c.campaign_id, t.campaign_id) AS campaign_id, coalesce(c.state, t.state) AS state,
            coalesce(c.messages, 0) AS counted, coalesce(t.messages, 0) AS told
        FROM counted c FULL JOIN told t
            ON (c.campaign_id, c.institution_id, coalesce(c.gateway_id, 0), c.carrier, c.state, c.reason)
            = (t.campaign_id, t.institution_id, coalesce(t.gateway_id, 0), t.carrier, t.state, t.reason)
        WHERE (coalesce(c.messages, 0), coalesce(c.segments, 0))
            <> (coalesce(t.messages, 0), coalesce(t.segments, 0))
    )
    SELECT campaign.name, campaign.uuid, apart.state, sum(apart.counted), sum(apart.told)
    FROM apart LEFT JOIN messaging_campaign campaign ON campaign.id = apart.campaign_id
    GROUP BY 1, 2, 3 ORDER BY 1, 3
"""
CREATED = """
    SELECT c.name, c.uuid, c.recipients, count(m.id), c.segments, coalesce(sum(m.segments), 0)
    FROM messaging_campaign c LEFT JOIN messaging_message m ON m.campaign_id = c.id
    {where} c.kind = 'bulk' AND c.built_at IS NOT NULL AND c.state <> 'building'
    GROUP BY c.id HAVING (c.recipients, c.segments) <> (count(m.id), coalesce(sum(m.segments), 0)) ORDER BY c.id
"""
# Whether each part of a message was taken, or arrived, is a bit; a message's parts together are a mask.
TRIED = """
    WITH took AS (SELECT DISTINCT attempt_id FROM messaging_attemptresult WHERE kind = 'accepted'),
    arrived AS (
        SELECT DISTINCT attempt_id FROM messaging_receipt WHERE outcome = 'delivered' AND attempt_id IS NOT NULL
    ), tried AS (
        SELECT a.message_id, max(a.number) AS tries, (1::bigint << max(a.parts)::int) - 1 AS whole,
            bit_or(CASE WHEN coalesce(took.attempt_id, arrived.attempt_id) IS NULL THEN 0
                ELSE 1::bigint << (a.part - 1)::int END) AS taken
        FROM messaging_attempt a LEFT JOIN took ON took.attempt_id = a.id
            LEFT JOIN arrived ON arrived.attempt_id = a.id
        GROUP BY 1
    ), judged AS (
        SELECT m.uuid, m.state, CASE
            WHEN m.state IN ('submitted', 'delivered') AND coalesce(t.taken <> t.whole, true) THEN 'untaken'
            WHEN (m.state = 'unknown' OR m.on_wire) AND t.message_id IS NULL THEN 'untried'
            WHEN m.tries <> coalesce(t.tries, 0) THEN 'tries'
            WHEN m.state = 'cancelled' AND NOT m.retried AND t.taken = t.whole AND EXISTS (
                SELECT FROM messaging_campaign c WHERE c.id = m.campaign_id AND c.policy = 'at_most_once')
            THEN 'cancelled'
            WHEN m.on_wire AND m.state <> 'claimed' THEN 'wire'
        END AS fault
        FROM messaging_message m {scope} LEFT JOIN tried t ON t.message_id = m.id
    )
    SELECT uuid, state, fault, count(*) OVER () FROM judged WHERE fault IS NOT NULL ORDER BY uuid LIMIT %(most)s
"""
CLAIMED = """
    SELECT m.claimed_by, count(*),
        bool_or(m.claimed_by = '') OR coalesce(max(l.until), max(m.state_at)) < %(abandoned)s,
        coalesce(bool_and(l.until > %(now)s), false)
    FROM messaging_message m {scope} LEFT JOIN clinic_lease l ON l.name = m.claimed_by
    WHERE m.state = 'claimed' GROUP BY 1 ORDER BY 1
"""
STRANGE = """
    SELECT count(*) FROM messaging_receipt r JOIN messaging_attempt a ON a.id = r.attempt_id
    JOIN messaging_message m ON m.id = a.message_id {scope} WHERE a.gateway_id <> r.gateway_id
"""
UNMATCHED = "SELECT count(*) FROM messaging_receipt WHERE attempt_id IS NULL"
# Messages of the campaigns of an institution and all below it.
PLACE = " JOIN clinic_institution place ON place.id = c.institution_id"
SCOPE = f" JOIN messaging_campaign c ON c.id = m.campaign_id{PLACE} AND place.path LIKE %(path)s"


def messages(scope=Scope()) -> Finding:  # noqa: B008 - frozen
    """The check "messages", for registry.checks. A few passes over the tables; memory does not grow with them."""
    check = _Check(scope)
    with _snapshot():
        check.run()
    if check.count:
        return Finding(False, check.text(), check.notes)
    return Finding(True, check.summary(), check.notes)


class _Check:
    def __init__(self, scope):
        self.scope, self.sentences, self.notes, self.count, self.total = scope, [], [], 0, 0
        now = timezone.now()
        self.values = {
            "path": f"{scope.institution.path}%" if scope.institution else "%", "most": MOST, "now": now,
            "abandoned": now - timedelta(minutes=ABANDONED_MINUTES),
        }  # fmt: skip

    def run(self):
        steps = (self.tallies, self.created, self.attempts, self.claims, self.receipts)
        for done, step in enumerate(steps, start=1):
            step()
            self.scope.progress(done, len(steps))
        self.total = self.rows("SELECT count(*) FROM messaging_message m {scope}")[0][0]

    def rows(self, sql):
        only = self.scope.institution is not None
        where = f"{PLACE} WHERE place.path LIKE %(path)s AND" if only else "WHERE"
        text = sql.format(scope=SCOPE if only else "", where=where)
        with connection.cursor() as cursor:
            cursor.execute(text, self.values)
            return cursor.fetchall()

    def add(self, sentence, count=1):
        self.count += count
        if len(self.sentences) < MOST:
            self.sentences.append(sentence)

    # What was created is where it is ---------------------------------------------------------------

    def tallies(self):
        for name, key, state, counted, told in self.rows(TALLIED):
            facts = {
                "campaign": _campaign(name, key), "state": MessageState(state).label, "counted": counted, "told": told,
            }  # fmt: skip
            self.add(
                _(
                    "%(campaign)s, state “%(state)s”: %(counted)d messages are there, the tallies say %(told)d."
                )
                % facts
                if counted != told
                else _("%(campaign)s, state “%(state)s”: the tallies count segments or gateways otherwise.")
                % facts
            )

    def created(self):
        for name, key, recipients, counted, segments, counted_segments in self.rows(CREATED):
            self.add(
                _(
                    "%(campaign)s was counted as %(recipients)d recipients and %(segments)d segments, but"
                    " %(counted)d messages with %(counted_segments)d segments are there."
                )
                % {
                    "campaign": _campaign(name, key),
                    "recipients": recipients,
                    "segments": segments,
                    "counted": counted,
                    "counted_segments": counted_segments,
                }  # fmt: skip
            )

    # What a message says, its attempts say ---------------------------------------------------------

    def attempts(self):
        found = self.rows(TRIED)
        for key, state, fault, _count in found:
            self.add(
                _("Message %(message)s (%(state)s): %(fault)s")
                % {"message": key, "state": MessageState(state).label, "fault": _faults()[fault]}
            )
        if found:
            self.count += found[0][3] - len(found)

    def claims(self):
        for worker, count, abandoned, alive in self.rows(CLAIMED):
            facts = {"count": count, "worker": worker or "—"}
            if abandoned:
                self.add(_("%(count)d messages are claimed by %(worker)s, which is no longer there.") % facts)
            elif not alive:
                self.notes.append(
                    _("%(count)d messages wait for the end of %(worker)s, whose lease has run out.") % facts
                )

    def receipts(self):
        if strange := self.rows(STRANGE)[0][0]:
            self.add(_("%(count)d receipts are matched to another gateway's attempt.") % {"count": strange})
        if self.scope.institution is None and (waiting := self.rows(UNMATCHED)[0][0]):
            self.notes.append(
                ngettext(
                    "%(count)d receipt belongs to no attempt that is known.",
                    "%(count)d receipts belong to no attempt that is known.",
                    waiting,
                )
                % {"count": waiting}
            )

    # Words -----------------------------------------------------------------------------------------

    def text(self):
        lines = [_("Messages: %(count)d faults.") % {"count": self.count}, *self.sentences]
        if self.count > len(self.sentences):
            lines.append(_("… and %(count)d more.") % {"count": self.count - len(self.sentences)})
        return "\n".join(lines)

    def summary(self):
        return ngettext(
            "Messages: %(count)d, accounted for.", "Messages: %(count)d, all accounted for.", self.total
        ) % {"count": self.total}


def _faults():
    return {
        "untaken": _("the carrier did not take each of its parts."),
        "untried": _("there is no attempt."),
        "tries": _("it counts other tries than there are attempts."),
        "cancelled": _("it was cancelled although the carrier took it."),
        "wire": _("it is on the wire and nobody has claimed it."),
    }


def _campaign(name, key):
    return _("Campaign “%(name)s” (%(uuid)s)") % {"name": name or "—", "uuid": key or "—"}


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
