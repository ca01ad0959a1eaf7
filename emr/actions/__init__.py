"""Writes of the record, one file per noun."""
