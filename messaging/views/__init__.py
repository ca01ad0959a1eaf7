"""Pages of the messages outside the station desk."""
