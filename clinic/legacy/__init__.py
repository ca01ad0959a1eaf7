"""Taking over the old system's data from CSV files (docs/import.md)."""
