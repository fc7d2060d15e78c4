"""The loop around the core: an order becomes a command, is decided against the roster, and committed."""
