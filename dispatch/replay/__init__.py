"""An incident once more from its events, and whether today's code would decide the same."""
