"""What all figures share: dials, layers, palette, parts."""
