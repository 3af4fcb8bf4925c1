"""Figures of the Derivation page."""
