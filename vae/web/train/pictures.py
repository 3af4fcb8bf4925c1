"""Rows of pictures on the page: live in place, or a film that the browser plays by itself."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from vae.charts.kit.theme import Style, in_themes
from vae.export.files import common_moments
from vae.images import tiles
from vae.memo import Memo
from vae.runs.snapshots import Frame, MemberSnapshot
from vae.runs.thinning import thinned
from vae.web import kept
from vae.web.routes import assets_path, fetching_script

_component = st.components.v2.component(
    "vae.images.tiles",
    html='<div class="pictures"></div>',
    js=fetching_script("pictures"),
)
# The films of one race, and what is live: each picture is encoded once for all who watch. A row of
# pictures takes about 5 KB.
_MOST_KEPT = 600
_TARGETS = "targets"
_MEANS = "decoder means"
_DRAWS = "draws from p(x|z)"
# While a run goes on, rows beside the means come with every so many polls, and stay between them.
_POLLS_BETWEEN = 6
_POLLS = "live_polls"
# Of a film, in all its rows.
_FILM_PICTURES = 180


_rows = Memo(_MOST_KEPT)


def show_targets(images: np.ndarray, *, key: str) -> None:
    """The images that a run will learn to rebuild, before it starts."""
    row = {
        "label": _TARGETS,
        "colour": "",
        "part": _TARGETS,
        "alt": f"{len(images)} images of the test set",
        # Until a run's first picture it is sent at every poll.
        "pictures": [
            _rows.get((_TARGETS, images.tobytes()), partial(tiles.light_strip, images)),
        ],
    }
    views = [{"name": "", "rows": [row]}]
    _show({"views": views, "frames": 1, "captions": [], "opening": 0}, key=key)


def show_live(
    run_id: str,
    members: Sequence[MemberSnapshot],
    styles: Sequence[Style],
    *,
    bring: bool,
    key: str,
) -> None:
    """The newest reconstructions of every member, in step, updated in place.

    ``bring``: scroll to them once, for the session that started the run.
    """
    frames = [member.frames[-1:] for member in members]
    if all(frames):
        data = _film(run_id, frames, styles, captions=[""], alt_step=True)
        if not _is_whole(run_id):
            _leave_out_what_stays(data)
        _show({**data, "bring": run_id if bring else ""}, key=key)


def _is_whole(run_id: str) -> bool:
    """Whether this poll of a session brings every row: the first does, and each sixth.

    So what a slow connection never got, since a newer poll took its place, comes with a later one.
    """
    seen, polls = st.session_state.get(_POLLS, ("", 0))
    polls = polls + 1 if seen == run_id else 0
    st.session_state[_POLLS] = run_id, polls
    return polls % _POLLS_BETWEEN == 0


def _leave_out_what_stays(data: dict[str, Any]) -> None:
    """Take out the pictures of the targets, and of the draws: the browser shows those it has."""
    for view in data["views"]:
        for row in view["rows"]:
            if row["part"] != "means":
                row["pictures"] = []


def show_film(
    run_id: str,
    members: Sequence[MemberSnapshot],
    styles: Sequence[Style],
    captions: Sequence[str],
    *,
    key: str,
) -> None:
    """Kept moments, with a scrubber and a play button; no traffic while it plays.

    ``captions``: one line for each moment of ``exports.common_moments(members)``.
    """
    frames = common_moments(members)
    if frames and frames[0]:
        most = max(2, _FILM_PICTURES // (2 * len(members)))
        moments = thinned(range(len(captions)), most)
        chosen = [[kept[moment] for moment in moments] for kept in frames]
        words = [captions[moment] for moment in moments]
        data = _film(run_id, chosen, styles, captions=words, alt_step=False)
        # It opens on the picture that the run ended with.
        _show({**data, "opening": len(words) - 1}, key=key)


def _show(data: dict[str, Any], *, key: str) -> None:
    # Whoever watches a run sees the same.
    kept.mount(_component, key, {"assets": assets_path("pictures"), **data}, passing=True)


def _film(
    run_id: str,
    frames: Sequence[Sequence[Frame]],
    styles: Sequence[Style],
    captions: Sequence[str],
    alt_step: bool,
) -> dict[str, Any]:
    step = f" at step {frames[0][-1].step}" if alt_step else ""
    target = _row(_TARGETS, "", "targets", run_id, 0, frames[0][-1:], "")
    single = len(frames) == 1
    views = []
    for name, part in ((_MEANS, "means"), (_DRAWS, "samples")):
        rows = [
            _row(
                name if single else style.label,
                style.colour,
                part,
                run_id,
                member,
                kept,
                "" if single else name,
                step,
            )
            for member, (kept, style) in enumerate(zip(frames, styles, strict=True))
        ]
        views.append({"name": name, "rows": [target, *rows]})
    if single:
        views = [{"name": "", "rows": [*views[0]["rows"], views[1]["rows"][1]]}]
    return {
        "views": views,
        "frames": max(len(kept) for kept in frames),
        "captions": list(captions),
        "opening": 0,
    }


def _row(
    label: str,
    colour: str,
    part: str,
    run_id: str,
    member: int,
    frames: Sequence[Frame],
    what: str,
    step: str = "",
) -> dict[str, Any]:
    return {
        "label": label,
        "colour": in_themes(colour),
        "part": part,
        "alt": f"{what} {label}{step}".strip(),
        "pictures": [
            _rows.get((run_id, member, frame.step, part), partial(_strip, frame, part))
            for frame in frames
        ],
    }


def _strip(frame: Frame, part: str) -> str:
    return tiles.light_strip(getattr(frame.reconstruction, part))
