"""Upgrades: the gate before them, what everybody is told, the window against the clinics' day, the watch afterwards."""
