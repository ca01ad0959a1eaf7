"""Forms of the messages."""
