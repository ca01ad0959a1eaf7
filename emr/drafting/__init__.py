"""Drafts: what their fields may hold, where they begin, what they once said."""
