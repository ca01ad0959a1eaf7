"""Referrals: the form, its lists, its numbers and its paper."""
