"""Two readings side by side."""

import math
from dataclasses import dataclass

from vae.your_loss.reading import Reading
from vae.your_loss.survival import key_number
from vae.your_loss.verdict import NAMES, number


@dataclass(frozen=True)
class Comparison:
    """Rows of (what, first, second), and whether both are the same loss up to a factor."""

    same: bool
    ratio: float | None
    text: str
    rows: tuple[tuple[str, str, str], ...]


def compare(first: Reading, second: Reading) -> Comparison:
    """What differs between two losses: the belief, the weight of the KL, the overall factor."""
    one_name, two_name = _named(first.family), _named(second.family)
    numbers = tuple(
        (name, _shown(getattr(first, field)), _shown(getattr(second, field)))
        for name, field in (
            ("sigma^2, code's units", "sigma2"),
            ("sigma^2, pixels in [0, 1]", "sigma2_unit"),
            ("Laplace scale", "laplace_scale"),
            ("beta", "beta"),
            ("overall factor", "rate"),
        )
        if not (getattr(first, field) is None and getattr(second, field) is None)
    )
    kl = ("KL", _KL.get(first.kl_form, "none"), _KL.get(second.kl_form, "none"))
    rows = (("belief", one_name, two_name), *numbers, kl)
    if not (first.read and second.read):
        return Comparison(False, None, "Only losses that were read can be compared.", rows)
    one, two = key_number(first), key_number(second)
    if first.family != second.family or one is None or two is None:
        same = first.family == second.family and one is None and two is None
        text = (
            f"Both have the belief {one_name}."
            if same
            else f"Two beliefs: {one_name} and {two_name}. Their numbers do not compare."
        )
        return Comparison(same, None, text, rows)
    ratio = two / one
    if math.isclose(ratio, 1.0, rel_tol=1e-6):
        factor = (second.rate or 1.0) / (first.rate or 1.0)
        text = "The same belief" + (
            "."
            if math.isclose(factor, 1.0, rel_tol=1e-6)
            else f"; the second is {number(factor)} times the first."
        )
        return Comparison(True, 1.0, text, rows)
    return Comparison(
        False,
        ratio,
        f"The second weighs its KL {number(ratio)} times as heavily as the first.",
        rows,
    )


_KL = {
    "kl": "to N(0, 1)",
    "wrong": "not to N(0, 1)",
    "free-bits": "with free bits",
    "capacity": "held at a capacity",
    "inert": "without effect",
}


def _named(family: str) -> str:
    core = family.removesuffix("-learned")
    return NAMES.get(core, core) + (", scale learned" if core != family else "")


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return number(value) if isinstance(value, float) else str(value)
