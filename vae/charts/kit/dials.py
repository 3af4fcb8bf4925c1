"""Dials: the numbers a learner drags. Each is declared once, with its range.

A dial is at the same time a Vega parameter (the figure follows it in the browser, with no
message to the server), a query parameter of the page's address, and a slider on the page.
"""

import math
from dataclasses import dataclass

import altair as alt


@dataclass(frozen=True)
class Dial:
    """One number that figures follow while the pointer moves.

    ``name`` is the query parameter and the name under which Vega expressions read the value.
    A logarithmic dial is bound to ``log10`` of its value, so that equal pointer distances are
    equal ratios; expressions still read the value itself under ``name``.
    """

    name: str
    label: str
    minimum: float
    maximum: float
    default: float
    step: float
    log: bool = False
    digits: int = 3
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.minimum <= self.default <= self.maximum:
            raise ValueError(
                f"dial {self.name}: default {self.default} outside [{self.minimum}, {self.maximum}]"
            )
        if self.log and self.minimum <= 0:
            raise ValueError(f"dial {self.name}: a logarithmic range must be positive")

    @property
    def signal(self) -> str:
        """Name of the Vega parameter that the slider sets."""
        return f"log10_{self.name}" if self.log else self.name

    def position(self, value: float) -> float:
        """Where ``value`` lies on the slider."""
        return math.log10(value) if self.log else value

    def contains(self, value: float) -> bool:
        return math.isfinite(value) and self.minimum <= value <= self.maximum

    def params(self, value: float | None = None) -> list[alt.Parameter]:
        """Vega parameters for a chart that follows this dial, opening at ``value``."""
        start = self.default if value is None else value
        slider = alt.param(
            name=self.signal,
            value=self.position(start),
            bind=alt.binding_range(
                min=self.position(self.minimum),
                max=self.position(self.maximum),
                # The page's own slider has the coarse step; this one must hold any value exactly.
                step=1e-9,
                name=self.label,
            ),
        )
        if not self.log:
            return [slider]
        return [slider, alt.param(name=self.name, expr=f"pow(10, {self.signal})")]
