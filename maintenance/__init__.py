"""Keeping it running: tickets, the vendor contract, upgrades, training.

May import messaging and clinic.
"""
