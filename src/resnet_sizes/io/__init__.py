"""Files, locks, hashes and errors: what every stage reads and writes with."""
