"""Signed notes: their versions, compared and read; when they are archived."""
