"""What the worker and the server say to each other; plain values, no torch."""
