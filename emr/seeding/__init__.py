"""Invented visits: the demo station's days, and any number of visits for measuring."""
