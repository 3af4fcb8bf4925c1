"""Checks of claims."""

from vae.checks.evidence import Evidence


def saturation() -> Evidence:
    raise NotImplementedError


def descent() -> Evidence:
    raise NotImplementedError


def trainable_loss() -> Evidence:
    raise NotImplementedError
