"""One command per file, named by what it does."""
