"""断网应急包: each morning one encrypted file for a station, for the day without network: whom to expect, with allergies, chronic
diseases and long-term medicines. It opens in a browser from a stick, without a server, with the station's passphrase.

The passphrase is never kept: what it derives (PBKDF2-HMAC-SHA256) is kept sealed with the installation's key, so that each
morning's file can be made. The file: AES-256-GCM, and the page around it that asks for the passphrase.
"""

import base64
import hashlib
import html
import json
import logging
import os
from datetime import timedelta
from pathlib import Path
from string import Template

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from clinic import audit, registry
from clinic.codes import Act
from clinic.secret import derived
from maintenance.models import KitKey, OfflineKit

log = logging.getLogger("sheyi.kits")
# As OWASP's password storage cheat sheet asks of PBKDF2-HMAC-SHA256.
ROUNDS, SALT, NONCE = 600_000, 16, 12
KEPT = timedelta(days=7)
# No page of the server: it is opened from a stick, so its script and style are inside.
PAGE = Path(__file__).with_name("kit.html")


def derive(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS)


def seal(key: bytes) -> str:
    return _box().encrypt(key).decode("ascii")


def folder() -> Path:
    return Path(settings.VAR) / "kits"


def path_of(kit) -> Path:
    return folder() / f"{kit.institution.code}-{kit.day:%Y%m%d}.html"


def make_all(now=None) -> int:
    """Today's file of every station with a passphrase that has none yet; files of last week go. Returns how many were made. One that
    cannot be made holds up nobody."""
    now = now or timezone.now()
    made = sum(make(row, now) is not None for row in KitKey.objects.select_related("institution"))
    _forget(timezone.localdate(now) - KEPT)
    return made


def _forget(before):
    for file in folder().glob("*.html") if folder().is_dir() else ():
        if file.stem.rpartition("-")[2] < f"{before:%Y%m%d}":
            file.unlink(missing_ok=True)


def make(row, now) -> OfflineKit | None:
    day, place = timezone.localdate(now), row.institution
    if OfflineKit.objects.filter(institution=place, day=day).exists():
        return None
    try:
        key = _box().decrypt(row.sealed.encode())
    except InvalidToken:
        log.error("kit", extra={"facts": {"institution": place.code, "fault": "key"}})
        return None
    rows = registry.kit_rows(place, day)
    text = page(place, day, rows, key, base64.b64decode(row.salt))
    data = text.encode()
    with transaction.atomic():
        kit = OfflineKit.objects.create(
            institution=place,
            day=day,
            residents=len(rows),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            made_at=now,
        )
        _write(path_of(kit), data)
        audit.record(
            Act.EXPORT,
            obj=kit,
            detail={"what": "offline kit", "residents": len(rows), "institution": place.code},
        )
    return kit


def page(place, day, rows, key, salt) -> str:
    """The whole file, in Chinese, with nothing from anywhere else."""
    nonce = os.urandom(NONCE)
    plain = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()
    box = AESGCM(key).encrypt(nonce, plain, _bound(place, day))
    facts = {"rounds": ROUNDS, "bound": _bound(place, day).decode()} | {
        name: base64.b64encode(value).decode()
        for name, value in (("salt", salt), ("nonce", nonce), ("box", box))
    }
    words = {"place": str(place), "code": place.code, "day": day.isoformat(), "facts": json.dumps(facts)}
    safe = {name: html.escape(text) for name, text in words.items()}
    return Template(PAGE.read_text(encoding="utf-8")).substitute(safe)


def opened(text: str, passphrase: str) -> list:
    """What the file holds; ValueError with another passphrase. For tests, and whoever has to look without a browser."""
    facts = json.loads(html.unescape(text.split('data-kit="', 1)[1].split('"', 1)[0]))
    salt, nonce, box = (base64.b64decode(facts[name]) for name in ("salt", "nonce", "box"))
    try:
        return json.loads(AESGCM(derive(passphrase, salt)).decrypt(nonce, box, facts["bound"].encode()))
    except InvalidTag as error:
        raise ValueError("passphrase") from error


def _bound(place, day) -> bytes:
    """So that one station's file is not another's, nor yesterday's today's."""
    return f"sheyi-kit {place.code} {day.isoformat()}".encode()


def _write(file, data):
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def _box():
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(derived(settings.SECRET_KEY, "offline-kit"))))
