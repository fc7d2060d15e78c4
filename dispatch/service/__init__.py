"""A node whole, but for HTTP: what it does for control rooms, medics and providers, and follows of others."""
