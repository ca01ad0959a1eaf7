"""What ``script/bench`` runs: figures, not tests. Needs ``script/`` on the Python path."""
