"""The file of a backup: a line of magic, the manifest, the dump in chunks, and at the end what proves that nothing is missing.

    SHEYI-BACKUP-1\\n | length of the head, 8 bytes | head, JSON | chunks: length, 4 bytes, and the bytes | a chunk of length 0 |
    SHA-256 of all before it, 32 bytes

Encrypted, every chunk is AES-256-GCM under a key derived (HKDF-SHA256) from the district's key and the file's own salt; its nonce
is its number, and the head's hash and whether it is the last one are bound to it, so that chunks can be neither exchanged
nor cut off. The head stays readable: it holds names of tables, counts and checksums.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils.translation import gettext as _

from maintenance.backups.errors import BackupError, Damaged

MAGIC = b"SHEYI-BACKUP-1\n"
CHUNK, LONGEST_HEAD = 1 << 20, 1 << 26
TAG, DIGEST, KEY, SALT = 16, 32, 32, 16


class Tee:
    """Writes or reads while it hashes."""

    def __init__(self, file):
        self.file, self.hash = file, hashlib.sha256()

    def write(self, data):
        self.hash.update(data)
        self.file.write(data)

    def read(self, size):
        data = self.file.read(size)
        if len(data) != size:
            raise Damaged(_("The file ends too early."))
        self.hash.update(data)
        return data


def read_key(path) -> bytes:
    """32 bytes, kept as base64 in a file that only its owner reads."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, ValueError, binascii.Error) as error:
        raise BackupError(_("The key file %(file)s cannot be read.") % {"file": path.name}) from error
    if len(key) != KEY:
        raise BackupError(_("The key file %(file)s holds no key of 32 bytes.") % {"file": path.name})
    return key


def write(file, manifest: dict, chunks, key: bytes | None = None) -> str:
    """Write the whole container; returns its SHA-256 in hex."""
    salt = os.urandom(SALT) if key else b""
    head = json.dumps({"manifest": manifest, "salt": salt.hex()}, ensure_ascii=False, sort_keys=True).encode()
    out = Tee(file)
    out.write(MAGIC + len(head).to_bytes(8, "big") + head)
    seal = _Cipher(key, salt, head) if key else None
    number, held = 0, b""
    for data in _even(chunks):
        if held:
            _put(out, seal.close(number, held, False) if seal else held)
            number += 1
        held = data
    if held:
        _put(out, seal.close(number, held, True) if seal else held)
    out.write((0).to_bytes(4, "big"))
    digest = out.hash.digest()
    file.write(digest)
    out.hash.update(digest)
    return out.hash.hexdigest()


def read_head(file) -> tuple[dict, "Tee", bytes, bytes]:
    """(manifest, the reader behind the head, salt, head)."""
    reader = Tee(file)
    if file.read(len(MAGIC)) != MAGIC:
        raise Damaged(_("This is no backup of Sheyi."))
    reader.hash.update(MAGIC)
    size = int.from_bytes(reader.read(8), "big")
    if size > LONGEST_HEAD:
        raise Damaged(_("The head of the file is damaged."))
    head = reader.read(size)
    try:
        facts = json.loads(head)
        return facts["manifest"], reader, bytes.fromhex(facts["salt"]), head
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(_("The head of the file is damaged.")) from error


def read_body(reader, salt, head, key: bytes | None = None) -> Iterator[bytes]:
    """The dump, chunk by chunk; raises Damaged at the first byte that is not as written, at the end at the latest."""
    if salt and key is None:
        raise BackupError(_("This backup is encrypted: its key is needed."))
    seal, number, held = (_Cipher(key, salt, head) if salt else None), 0, None
    while size := int.from_bytes(reader.read(4), "big"):
        if size > CHUNK + TAG:
            raise Damaged(_("The file is damaged."))
        if held is not None:
            yield seal.open(number, held, False) if seal else held
            number += 1
        held = reader.read(size)
    if held is not None:
        yield seal.open(number, held, True) if seal else held
    digest = reader.hash.digest()
    if reader.file.read(DIGEST + 1) != digest:
        raise Damaged(_("The file does not match its checksum."))


class _Cipher:
    def __init__(self, key, salt, head):
        derived = HKDF(SHA256(), KEY, salt, b"sheyi backup").derive(key)
        self.aes, self.bound = AESGCM(derived), hashlib.sha256(head).digest()

    def close(self, number, data, last):
        return self.aes.encrypt(number.to_bytes(12, "big"), data, self.bound + bytes([last]))

    def open(self, number, data, last):
        try:
            return self.aes.decrypt(number.to_bytes(12, "big"), data, self.bound + bytes([last]))
        except InvalidTag as error:
            raise Damaged(_("The file is damaged, or the key is another one.")) from error


def _put(out, data):
    out.write(len(data).to_bytes(4, "big") + data)


def _even(chunks):
    """The same bytes in chunks of one size."""
    held = b""
    for data in chunks:
        held += data
        while len(held) >= CHUNK:
            yield held[:CHUNK]
            held = held[CHUNK:]
    if held:
        yield held
