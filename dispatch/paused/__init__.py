"""The pause after a restore: what is held meanwhile, what is owed at its end, and ending it."""
