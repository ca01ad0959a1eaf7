"""Pages of the record, one file per act or page."""
