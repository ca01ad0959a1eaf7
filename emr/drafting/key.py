"""The key under which a browser keeps unsaved text of one person.

Derived from the server's secret and the person, so that it survives the session and is stored nowhere; it
stands in that person's pages only, and the next user of the computer never gets it.
"""

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def of(user) -> str:
    """32 bytes in base64 for AES-GCM."""
    derive = HKDF(SHA256(), length=32, salt=b"sheyi drafts", info=b"user:" + user.uuid.bytes)
    return base64.b64encode(derive.derive(settings.SECRET_KEY.encode())).decode()
