"""Writes of the messages, one file a noun."""
