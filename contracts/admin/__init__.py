"""The desk's tables of family-doctor signing."""
