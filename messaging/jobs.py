"""Recurring work of the messages. Each job may run twice, or be cut off at any point."""
