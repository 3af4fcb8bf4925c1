"""Figures of the page Your loss."""
