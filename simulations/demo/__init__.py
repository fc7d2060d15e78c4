"""`dispatch demo`: real calls become alerts on simulated medics' phones, through the real service."""
