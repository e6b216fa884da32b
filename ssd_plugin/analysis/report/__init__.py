"""The report of a run as one HTML page: what was trained, what it finds, what it misses and why, how fast."""
