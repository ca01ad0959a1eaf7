"""The station desk of maintenance, one file a noun."""
