"""Telling people: templates, campaigns, routing through the carriers, receipts.

May import clinic.
"""
