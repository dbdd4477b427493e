"""Views: one page each."""
