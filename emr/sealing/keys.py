"""The house's signing keys: Ed25519, one in use, the public halves of all kept for ever (docs/seal.md).

They lie in ``settings.SEAL_KEYS``: ``<id>.key.pem`` (private, 0600), ``<id>.pub.pem``, and ``current``, which names
the key in use. A key's id is the first 16 hex digits of the SHA-256 of its 32 public bytes, so no file can pass
for another. ``settings.SEAL_KEY`` (base64 of 32 bytes) gives the private key without a file. Every public key is
also written to the anchor file ``keys.jsonl``: a key that stands only in the folder is not the house's.
"""

import base64
import binascii
import contextlib
import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import anchors
from clinic.errors import Refused

log = logging.getLogger("sheyi.seal")

REGISTER = "keys"
ID = re.compile(r"[0-9a-f]{16}\Z")
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw


class KeyUnusable(Refused):
    """There is no private key to sign with; the message says what is wrong, for whoever runs the server."""

    status = 503


class PublicKeyMissing(Exception):
    """The public key of this id is not in the folder, or its file holds something else."""

    def __init__(self, key_id):
        super().__init__(key_id)
        self.key_id = key_id


@dataclass(frozen=True)
class Key:
    id: str
    private: Ed25519PrivateKey
    public: bytes


_loaded: dict = {}  # what is in use, by where it came from
_public: dict = {}  # (folder, id) → public key
_registered: set = set()  # (anchor file, id)


def folder() -> Path:
    return Path(settings.SEAL_KEYS)


def sign(message: bytes) -> tuple[str, str]:
    """(key id, signature in base64) by the key in use. Raises KeyUnusable."""
    key = current()
    return key.id, base64.b64encode(key.private.sign(message)).decode("ascii")


def check(key_id: str, message: bytes, signature: str) -> bool:
    """Whether the key of this id signed the message. Raises PublicKeyMissing."""
    key = public(key_id)
    try:
        key.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def id_of(public_bytes: bytes) -> str:
    return hashlib.sha256(public_bytes).hexdigest()[:16]


def current() -> Key:
    """The key in use; made at first use. The first of many processes makes it, the others take it."""
    try:
        key = _from_environment() if settings.SEAL_KEY else _from_folder()
    except (OSError, ValueError, binascii.Error) as error:
        log.error("seal key unusable", extra={"facts": {"kind": type(error).__name__}})
        raise KeyUnusable(
            _("The server has no key to seal with. Nothing was signed."), code="seal"
        ) from error
    _register(key)
    return key


def public(key_id: str) -> Ed25519PublicKey:
    """The public key of this id from the folder. Raises PublicKeyMissing."""
    place = settings.SEAL_KEYS, key_id
    if place not in _public:
        try:
            text = (folder() / f"{key_id}.pub.pem").read_bytes() if ID.match(key_id) else b""
            key = serialization.load_pem_public_key(text)
        except (OSError, ValueError) as error:
            raise PublicKeyMissing(key_id) from error
        if not isinstance(key, Ed25519PublicKey) or id_of(key.public_bytes(*RAW)) != key_id:
            raise PublicKeyMissing(key_id)
        _public[place] = key
    return _public[place]


def registered() -> set[str]:
    """Ids of the house's keys, from the anchor file. Raises AnchorFileError."""
    return {str(line.get("key")) for line in anchors.read_lines(REGISTER)}


def known() -> list[str]:
    """Ids of all public keys in the folder."""
    return sorted(path.name.removesuffix(".pub.pem") for path in folder().glob("*.pub.pem"))


def new() -> str:
    """Make a further key, which ``use`` will take into use; return its id."""
    key = _key(Ed25519PrivateKey.generate())
    _store_private(key)
    _store_public(key)
    _register(key)
    return key.id


def use(key_id: str):
    """Sign with this key from now on, in every process. Raises KeyUnusable when it is not in the folder."""
    try:
        key = _load(key_id)
    except (OSError, ValueError) as error:
        raise KeyUnusable(_("There is no private key %(key)s in the folder.") % {"key": key_id}) from error
    _register(key)
    draft = _draft("current", key.id.encode())
    os.replace(draft, folder() / "current")
    anchors.sync_folder(folder())


def in_use() -> str:
    """The id of the key in use; empty while there is none."""
    if settings.SEAL_KEY:
        return current().id
    with contextlib.suppress(OSError):
        return (folder() / "current").read_text(encoding="ascii").strip()
    return ""


# Where keys come from -------------------------------------------------------------------------------


def _from_environment():
    place = folder(), settings.SEAL_KEY
    if place not in _loaded:
        seed = base64.b64decode(settings.SEAL_KEY, validate=True)
        key = _key(Ed25519PrivateKey.from_private_bytes(seed))
        try:
            _store_public(key)
        except OSError as error:  # a folder that only others may write; verify tells what is missing
            log.error("public key not stored", extra={"facts": {"kind": type(error).__name__}})
        _loaded[place] = key
    return _loaded[place]


def _from_folder():
    """Read again when ``current`` was replaced: a rotation reaches every running process."""
    pointer = folder() / "current"
    if not pointer.exists():
        _make_first(pointer)
    stamp = pointer.stat()
    place = pointer, stamp.st_mtime_ns, stamp.st_ino
    if place not in _loaded:
        key = _load(pointer.read_text(encoding="ascii").strip())
        _loaded[place] = key
    return _loaded[place]


def _make_first(pointer):
    key = _key(Ed25519PrivateKey.generate())
    _store_private(key)
    _store_public(key)
    draft = _draft("current", key.id.encode())
    try:
        os.link(draft, pointer)  # fails when somebody was first: theirs counts
        anchors.sync_folder(folder())
    except FileExistsError:
        for name in (f"{key.id}.key.pem", f"{key.id}.pub.pem"):
            (folder() / name).unlink()
    finally:
        draft.unlink()


def _load(key_id):
    if not ID.match(key_id):
        raise ValueError("a key id is 16 hex digits")
    text = (folder() / f"{key_id}.key.pem").read_bytes()
    private = serialization.load_pem_private_key(text, password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("not an Ed25519 key")
    key = _key(private)
    if key.id != key_id:
        raise ValueError("the file holds another key")
    return key


def _key(private):
    raw = private.public_key().public_bytes(*RAW)
    return Key(id_of(raw), private, raw)


def _store_private(key):
    text = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    os.replace(_draft(key.id, text), folder() / f"{key.id}.key.pem")


def _store_public(key):
    file = folder() / f"{key.id}.pub.pem"
    if file.exists():
        return
    text = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    os.replace(_draft(f"{key.id}.public", text, 0o644), file)
    anchors.sync_folder(folder())


def _draft(name, text, mode=0o600):
    """A file beside the others, on the disk, that gets its name in one step afterwards."""
    folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder() / f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _register(key):
    """Write the public key beside the anchors, once. A signature does not wait for that disk to be mended:
    the job tries again, and verify tells."""
    place = anchors.path(REGISTER), key.id
    if place in _registered:
        return
    try:
        if key.id not in registered():
            line = {
                "key": key.id, "public": base64.b64encode(key.public).decode("ascii"),
                "written_at": timezone.now().isoformat(),
            }  # fmt: skip
            anchors.append_lines(REGISTER, [line])
        _registered.add(place)
    except (OSError, anchors.AnchorFileError) as error:
        log.error("seal key not registered", extra={"facts": {"kind": type(error).__name__}})
