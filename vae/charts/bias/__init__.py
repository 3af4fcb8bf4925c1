"""Figures of the Bias page."""
