"""Seals: what was signed is what stands there (docs/seal.md)."""
