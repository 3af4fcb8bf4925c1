"""Checks of claims."""

from vae.checks.evidence import Evidence


def shrinkage() -> Evidence:
    raise NotImplementedError


def grey_pixels() -> Evidence:
    raise NotImplementedError
