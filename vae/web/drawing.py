"""Draw a picture, move z, and see what trained networks make of it, in the browser alone."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from vae.config import DATASETS
from vae.export.weights import BITS
from vae.images import tiles
from vae.images.sets import DIGIT_NAMES, FASHION_NAMES, DataUnavailable, load_sample
from vae.memo import shared
from vae.runs.snapshots import RunSnapshot
from vae.theory.prediction import ACTIVE_NATS
from vae.web import kept
from vae.web.kit.address import hidden
from vae.web.routes import assets_path, fetching_script
from vae.web.weights import WeightsFile, run_file, shipped_file

_ASSETS = Path(__file__).parent / "assets"
_STARTERS = 10
_LEAD = (
    "Four VAEs that are trained already, each with another loss. Draw: what does each keep of your "
    f"stroke? (Their weights come in {BITS[0]} to {BITS[-1]} bits, which changes a loss by less "
    "than 0.1 nats.)"
)
_GREYS = (
    "Half as bright: σ = 1 paints it a quarter too bright and more, the small σ and BCE keep its "
    "grey, the continuous Bernoulli darkens it. "
)
_STRANGE = (
    "Upside down, as nobody drew for them, every error grows by half or more; inverted, KL more "
    "than doubles. For its details the small σ pays some ten times the KL of σ = 1."
)
# What test images show in each set, on average.
_LESSONS = {"digits": _GREYS + _STRANGE, "mnist": _GREYS + _STRANGE, "fashion": _STRANGE}
_RUN_LEAD = "Draw: what do the networks of this run keep of your stroke?"
_component = st.components.v2.component(
    "vae.drawing",
    html='<div class="drawing"></div>',
    css=(_ASSETS / "drawing.css").read_text(encoding="utf-8"),
    js=fetching_script("drawing"),
)


def show_shipped(
    dataset: str, *, lead: str = _LEAD, grey: float = 0.5, small: bool = False, key: str
) -> bool:
    """The four shipped networks of ``dataset``; False, and nothing drawn, where there are none.

    ``lead`` says what to look at. ``small``: the canvas and the mean pictures alone. A link with
    ``hide=drawing`` leaves it out.
    """
    file = None if "drawing" in hidden() else shipped_file(dataset)
    if file is None:
        return False
    two = None if small else shipped_file(dataset, two_latents=True)
    extra = {"label": "two latents, BCE", "weights": _path(two)} if two else None
    _show(
        file, dataset, grey, small=small, extra=extra, lead=lead, lesson=_LESSONS[dataset], key=key
    )
    return True


def show_run(snapshot: RunSnapshot, *, key: str) -> bool:
    """The networks of a run as it was last saved; False, and nothing drawn, while there are none.

    Whoever has the run's link draws on them.
    """
    file = None if "drawing" in hidden() else run_file(snapshot)
    if file is None:
        return False
    config = snapshot.members[0].config
    _show(
        file,
        config.dataset,
        config.grey,
        small=False,
        extra=None,
        lead=_RUN_LEAD,
        lesson="",
        key=key,
    )
    return True


def _show(
    file: WeightsFile,
    dataset: str,
    grey: float,
    *,
    small: bool,
    extra: dict[str, str] | None,
    lead: str,
    lesson: str,
    key: str,
) -> None:
    strip, names = _starters(dataset, grey)
    data: dict[str, Any] = {
        "assets": assets_path("drawing"),
        "weights": _path(file),
        "extra": extra,
        "targets": strip,
        "names": list(names),
        "small": small,
        "lead": lead,
        "lesson": lesson,
        "activeNats": ACTIVE_NATS,
    }
    kept.mount(_component, key, data)


def _path(file: WeightsFile) -> str:
    return f"drawing/weights/{file.name}"


@shared(maxsize=16)
def _starters(dataset: str, grey: float) -> tuple[str, tuple[str, ...]]:
    """A test image of each class as one strip, and their names; nothing where none can be read."""
    try:
        if dataset not in DATASETS or dataset == "images":
            return "", ()
        images, labels = load_sample(dataset, 200, grey=grey)
    except DataUnavailable:
        return "", ()
    first = np.unique(labels, return_index=True)[1][:_STARTERS]
    classes = FASHION_NAMES if dataset == "fashion" else DIGIT_NAMES
    names = tuple(classes[int(labels[row])] for row in first)
    return tiles.strip(images[first], zoom=1), names
