"""Notifications on their way out, and what becomes of them."""
