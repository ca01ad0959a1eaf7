"""The secret key: from the environment, else made once beside the data (0600)."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path


def key(var: Path) -> str:
    """The secret key of this installation. Two starters at once end with the same key."""
    if given := os.environ.get("SHEYI_SECRET_KEY"):
        return given
    path = var / "secret_key"
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def derived(key: str, purpose: str) -> str:
    """A secret of its own for one purpose, for whoever was given none."""
    return hmac.new(key.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"secret_key.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        os.link(draft, path)  # fails when somebody was first: theirs counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
