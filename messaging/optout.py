"""Words by which a person wants no more messages, and how they are honoured at once, by every campaign (rules B6.3)."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from messaging.codes import ConsentSource, Meaning, MessageState, Reason
from messaging.models import IncomingMessage, OptOut

WORDS = frozenset(
    [
        "t",
        "td",
        "n",
        "r",
        "stop",
        "unsubscribe",
        "退订",
        "退訂",
        "拒收",
        "停止推送",
        "停止发送",
        "停发",
        "取消订阅",
        "拒绝接收",
        "不要再发",
        "不要再发了",
        "别再发了",
    ]
)
# Courtesies around the word: 请退订，谢谢; 回复TD; 退订短信.
AROUND = re.compile(
    r"^(?:请|請|我要|我想|我|麻烦|帮我|给我|回复|回覆|回)+|(?:谢谢|短信|信息|所有|全部|吧|了|谢)+$"
)
# Locked in order of row numbers, as the dispatcher does. A row that is being claimed meanwhile is waited for and
# judged anew, so that none slips through between the queue and the wire.
CANCEL = """
    WITH theirs AS (
        SELECT id FROM messaging_message
        WHERE {whose} AND state IN ('queued', 'claimed') AND NOT on_wire
        ORDER BY id FOR UPDATE
    )
    UPDATE messaging_message AS message
    SET state = %(cancelled)s, reason = %(reason)s, state_at = %(now)s, claimed_by = '',
        gateway_id = CASE WHEN message.tries > 0 THEN message.gateway_id END -- none, where it never was on a wire
    FROM theirs
    WHERE message.id = theirs.id AND message.state IN ('queued', 'claimed') AND NOT message.on_wire
"""
OF_NUMBERS = CANCEL.format(whose="phone = ANY(%(phones)s)")
# Single messages do not say what they are for.
OF_PURPOSE = CANCEL.format(
    whose="""resident_id = ANY(%(residents)s) AND campaign_id IN (
        SELECT id FROM messaging_campaign WHERE purpose = %(purpose)s AND kind = 'bulk' AND NOT state = 'finished')"""
)


def meaning(text: str) -> Meaning:
    """What a message from a handset means: an opt-out where it says nothing else than one of the words, in any case and
    width, with blanks and punctuation around it."""
    tokens = [core for token in _bare(text).split() if (core := AROUND.sub("", token))]
    return Meaning.OPT_OUT if tokens and all(token in WORDS for token in tokens) else Meaning.OTHER


def _bare(text):
    """Letters and digits alone, folded; what stood between them is a blank."""
    # A handset's message has at most a few hundred signs; nobody's thousand are read.
    folded = unicodedata.normalize("NFKC", text[:500]).casefold()
    shown = (sign for sign in folded if unicodedata.category(sign) not in ("Cf", "Cc", "Mn"))
    return "".join(sign if sign.isalnum() else " " for sign in shown)


def honour(opt_outs: Iterable[tuple[str, IncomingMessage | None]], now: datetime) -> int:
    """Put (phone, the message that said so) on the list, once each, and cancel every message to them that is not on the
    wire, in all campaigns. Returns how many were cancelled. No confirmation is sent.

    Harmless to repeat. What a dispatcher begins afterwards it checks against the list itself.
    """
    said = dict(opt_outs)
    if not said:
        return 0
    with transaction.atomic():
        for phone in sorted(said):
            OptOut.objects.get_or_create(
                phone=phone,
                ended_at=None,
                defaults={"since": now, "source": ConsentSource.SMS, "incoming": said[phone]},
            )
        return cancel(list(said), now)


def cancel(phones: list[str], now: datetime) -> int:
    """Cancel what waits for these numbers, in one statement. Inside the transaction that wrote the opt-out."""
    return _cancelled(OF_NUMBERS, now, phones=phones)


def cancel_purpose(residents: list[int], purpose: str, now: datetime) -> int:
    """Cancel what waits for these residents in campaigns of a purpose that they have just refused."""
    return _cancelled(OF_PURPOSE, now, residents=residents, purpose=str(purpose))


def _cancelled(sql, now, **whose):
    facts = {**whose, "now": now, "cancelled": MessageState.CANCELLED, "reason": Reason.OPTED_OUT}
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        return cursor.rowcount
