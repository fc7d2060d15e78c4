"""Whether the planners' simulator, with the service's own core in it, agrees with mathematics."""
