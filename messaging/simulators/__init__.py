"""The carriers on loopback, for tests, the bench and the demo."""
