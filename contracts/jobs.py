"""What recurs in family-doctor signing. Each job may run twice or be cut off anywhere."""
