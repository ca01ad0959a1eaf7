"""Backups: one file with a manifest in front, taken in one snapshot, and the proof that it can be restored."""
