"""Pages of maintenance, one file a noun."""
