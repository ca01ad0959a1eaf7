"""Agreements of an old system from Excel: reading (columns), checking every row (checking), writing them (writing)."""
