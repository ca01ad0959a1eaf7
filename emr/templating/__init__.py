"""Templates: finding them, and making one of a note without its resident."""
