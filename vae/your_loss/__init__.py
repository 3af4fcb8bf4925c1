"""Read the loss code that somebody pasted: the belief it stands for, without running it.

``read(code)`` parses the text, interprets it over numpy with a small interpreter of its own
(nothing is executed, imported, opened or compiled), and probes the loss in float64: which cost of
a pixel it is, how much of it, and how much of KL(q || N(0, 1)) stands beside it.
"""

from vae.your_loss.assemble import read
from vae.your_loss.comparison import Comparison, compare
from vae.your_loss.library_of_losses import (
    LANDMARKS,
    CensusEntry,
    ClinicEntry,
    census,
    clinic,
)
from vae.your_loss.reading import (
    Belief,
    Choice,
    ConstantUsed,
    Curve,
    Fault,
    Printed,
    Reading,
    RoleFound,
    Scaling,
    SizesUsed,
    Survival,
    UnknownItem,
)
from vae.your_loss.rewrite import weight_for
from vae.your_loss.roles import ROLES
from vae.your_loss.survival import alive, kl_bound, mean_picture_loss

__all__ = [
    "LANDMARKS",
    "ROLES",
    "Belief",
    "CensusEntry",
    "Choice",
    "ClinicEntry",
    "Comparison",
    "ConstantUsed",
    "Curve",
    "Fault",
    "Printed",
    "Reading",
    "RoleFound",
    "Scaling",
    "SizesUsed",
    "Survival",
    "UnknownItem",
    "alive",
    "census",
    "clinic",
    "compare",
    "kl_bound",
    "mean_picture_loss",
    "read",
    "weight_for",
]
