"""Invented people and places: the demo district, and any number of residents for measuring."""
