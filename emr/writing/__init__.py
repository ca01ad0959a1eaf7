"""What writing a note costs."""
