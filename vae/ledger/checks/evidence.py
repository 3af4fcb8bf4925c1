"""What a check hands back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """The number that decides a claim, with its unit, and whether it agrees with the verdict.

    ``source`` says where a figure comes from when it is not computed from closed forms or a
    small simulation on the spot: a card of a shipped checkpoint, or a data set.
    """

    figure: str
    agrees: bool
    source: str = ""

    def __post_init__(self) -> None:
        # NumPy's truth values are not JSON's.
        object.__setattr__(self, "agrees", bool(self.agrees))
