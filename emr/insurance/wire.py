"""How our client and our sandbox sign what they tell each other: HMAC-SHA256 over a shared secret."""

import hashlib
import hmac

SIGNATURE = "X-Sheyi-Signature"
TIME = "X-Sheyi-Time"
# Seconds by which the clocks may differ; an older request is a replayed one.
WINDOW = 300
LIMIT = 64 * 1024


def of_request(secret: str, path: str, time: str, body: bytes) -> str:
    return _sign(secret, b"\n".join([b"ask", path.encode(), time.encode(), body]))


def of_answer(secret: str, asked: str, status: int, body: bytes) -> str:
    """``asked`` is the request's signature, so that an answer fits one question only."""
    return _sign(secret, b"\n".join([b"answer", asked.encode(), str(status).encode(), body]))


def equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _sign(secret, message):
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
