"""Saves: receipts, lists, what they once said, the inquiry after a lost record, and thinning."""
