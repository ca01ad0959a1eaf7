"""Training: lessons that are also the pages' help, tests, certificates, and who still lacks what."""
