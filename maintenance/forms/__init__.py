"""What people type in maintenance, one file a noun."""
