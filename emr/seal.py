"""The seal of what is signed: canonical text, hash, Ed25519 signature. Format: docs/seal.md."""


def make(note, visit):
    """Seal a signed note or correction, in the transaction of its signature; return the Seal."""
