"""Public losses and public questions: facts with their sources, each with its reading at hand.

The numbers of the census are facts about public code, by repository and path; the code of the
clinic is ours, minimal, in the form of what was asked about.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae.memo import shared
from vae.your_loss.assemble import read
from vae.your_loss.reading import Reading

FOLDER = Path(__file__).resolve().parent
# Quantising to 8 bits alone has this variance, in [0, 1] pixels: (1/255)^2 / 12.
EIGHT_BIT_FLOOR = (1.0 / 255.0) ** 2 / 12.0
# The lines of the census' axis.
LANDMARKS: Mapping[str, float] = {
    "sum of squares + KL: 1/2": 0.5,
    "half the sum + KL: 1": 1.0,
    "8-bit floor": EIGHT_BIT_FLOOR,
    "D/4 of 28 x 28": 196.0,
    "D/4 of 64 x 64 x 3": 3072.0,
}


@dataclass(frozen=True)
class CensusEntry:
    """One public loss with a fixed Gaussian. ``sigma2_unit`` is in [0, 1] pixels, None where the
    data are no pictures; ``formula`` says what it depends on."""

    id: str
    source: str
    framework: str
    sigma2: float
    sigma2_unit: float | None
    formula: str
    reconstruction: str
    kl: str
    pixels: int | None
    latents: int | None
    batch: int | None
    units: str
    collapses: bool


@dataclass(frozen=True)
class ClinicEntry:
    """One public question with its loss and the settings to read it with."""

    id: str
    symptom: str
    asked: str
    source: str
    code: str
    settings: Mapping[str, Any]
    answer: str
    deciding: float | None

    def reading(self) -> Reading:
        """The answer, computed now."""
        given = dict(self.settings)
        if "data_range" in given and isinstance(given["data_range"], list):
            given["data_range"] = tuple(given["data_range"])
        return read(self.code, **given)


@shared(maxsize=1)
def census() -> tuple[CensusEntry, ...]:
    """Public losses that imply a fixed Gaussian, by sigma^2 in [0, 1] pixels where they have it."""
    rows = json.loads((FOLDER / "census.json").read_text(encoding="utf-8"))
    found = [CensusEntry(**row) for row in rows]
    return tuple(sorted(found, key=lambda e: (e.sigma2_unit is None, e.sigma2_unit or e.sigma2)))


@shared(maxsize=1)
def clinic() -> tuple[ClinicEntry, ...]:
    """Public questions, by symptom."""
    rows = json.loads((FOLDER / "clinic.json").read_text(encoding="utf-8"))
    return tuple(ClinicEntry(**row) for row in rows)
