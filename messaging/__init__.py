"""Telling people: templates, campaigns, consent, quota, routing through the carriers, the dispatcher, receipts.

May import clinic.
"""
