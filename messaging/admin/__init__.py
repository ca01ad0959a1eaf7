"""The station desk of the messages. One file a noun; each is imported here."""
