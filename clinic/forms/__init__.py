"""What people type on the ground floor's pages."""
