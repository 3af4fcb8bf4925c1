"""Pictures to learn from, as arrays of bytes; no torch."""
