"""Messages of the demo."""
