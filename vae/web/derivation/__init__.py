"""Parts of the Derivation page."""
