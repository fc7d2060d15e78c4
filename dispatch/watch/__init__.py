"""How the service is: what /readyz looks at, and the drills that prove the whole way to a phone."""
