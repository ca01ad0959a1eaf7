"""Maintenance of the demo district, and rows by the hundred thousand for measuring."""
