"""Checks of claims."""

from vae.checks.evidence import Evidence


def mse_symmetric() -> Evidence:
    raise NotImplementedError


def asymmetry() -> Evidence:
    raise NotImplementedError


def minimisers() -> Evidence:
    raise NotImplementedError


def two_mse() -> Evidence:
    raise NotImplementedError


def binary_likelihood() -> Evidence:
    raise NotImplementedError


def counter_biased() -> Evidence:
    raise NotImplementedError


def floor() -> Evidence:
    raise NotImplementedError


def missing_normaliser() -> Evidence:
    raise NotImplementedError


def names_and_ranges() -> Evidence:
    raise NotImplementedError
