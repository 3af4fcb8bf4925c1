"""For whoever has no pointer, or no screen: links past the long way, a focus that is not lost, and
a sentence on what just became of a run.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from vae.web import kept

_ASSETS = Path(__file__).parent / "assets"
_PARTS = ("nearby", "full_screen", "hands")
_SCRIPT = "".join((_ASSETS / f"{each}.js").read_text("utf-8") for each in _PARTS)
_skips = st.components.v2.component(
    "vae.hands",
    html='<nav class="hands" aria-label="Skip"><a href="#controls">Skip to the '
    "controls</a><details><summary>Skip to a section</summary><div></div></details></nav>",
    css=(_ASSETS / "hands.css").read_text(encoding="utf-8"),
    js=_SCRIPT,
)
_said = st.components.v2.component(
    "vae.said",
    # Out of sight, and read where it stands.
    html='<p role="status" style="position: absolute; clip-path: inset(50%); width: 1px; '
    'height: 1px; overflow: hidden; margin: 0; white-space: nowrap"></p>',
    js=(_ASSETS / "said.js").read_text(encoding="utf-8"),
)


def show_skips() -> None:
    """Links to a page's controls and sections, which the keyboard meets first; on every page.

    With them come the scripts that give the focus back when what had it was replaced, let figures
    be drawn when they come near, and keep a figure in full screen above its dials.
    """
    kept.mount(_skips, "skips", {})


def announce(
    text: str,
    follow: Mapping[str, Sequence[str]] | None = None,
    rows: Mapping[str, str] | None = None,
    *,
    quiet: bool = False,
    bring: str = "",
) -> None:
    """Have screen readers speak ``text`` when it changes, politely; called at most once a run.

    ``quiet``: not the text with which the page opens, which is there to be read, only those after.
    ``follow``: for the key of a button the keys of those that get its focus when it is greyed, the
    first that can be pressed. ``rows``: keys among them that stand for a row of buttons, which has
    the focus as a whole, with its name. ``bring``: the key of what came with a change of the text,
    and is to be seen above the dials.
    """
    following = {key: list(keys) for key, keys in (follow or {}).items()}
    told = {
        "said": text,
        "quiet": quiet,
        "follow": following,
        "rows": dict(rows or {}),
        "bring": bring,
    }
    kept.mount(_said, "said", told, passing=True)
