"""What if: response times of a region, simulated on the very code that decides at night."""
