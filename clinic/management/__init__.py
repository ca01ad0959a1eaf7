"""Long-running processes and operations of the ground floor."""
