"""Checks of claims."""

from vae.checks.evidence import Evidence


def learning_rate() -> Evidence:
    raise NotImplementedError


def composed_densities() -> Evidence:
    raise NotImplementedError


def elbo_sign() -> Evidence:
    raise NotImplementedError


def elbo_is_maximised() -> Evidence:
    raise NotImplementedError
