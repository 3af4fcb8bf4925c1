"""Checks of claims."""

from vae.checks.evidence import Evidence


def expansion() -> Evidence:
    raise NotImplementedError


def gradient_ratio() -> Evidence:
    raise NotImplementedError


def error_sign() -> Evidence:
    raise NotImplementedError


def pixel_mean() -> Evidence:
    raise NotImplementedError


def missing_half() -> Evidence:
    raise NotImplementedError


def mean_is_mode() -> Evidence:
    raise NotImplementedError


def mass_outside() -> Evidence:
    raise NotImplementedError


def learned_scale() -> Evidence:
    raise NotImplementedError


def pearson() -> Evidence:
    raise NotImplementedError


def cross_entropy() -> Evidence:
    raise NotImplementedError


def multinoulli() -> Evidence:
    raise NotImplementedError
