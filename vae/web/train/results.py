"""After a run: the film of it, what its latents mean, and everything to take home."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from vae.beliefs import BELIEFS
from vae.charts.train import maps
from vae.config import TrainConfig
from vae.export import files, notebook, standalone
from vae.images import tiles
from vae.images.sets import DIGIT_NAMES, FASHION_NAMES
from vae.lessons import questions
from vae.memo import Memo
from vae.runs import tables
from vae.runs.snapshots import MemberSnapshot, RunSnapshot
from vae.web import drawing
from vae.web.kit import layout
from vae.web.train import downloads, figures, shown
from vae.wire.events import GalleryEvent

_BYTES = "application/octet-stream"
# Three pictures of each member of the runs looked at last.
_pictures = Memo(54)


def show_results(snapshot: RunSnapshot) -> None:
    """The sections of a run that rests or is over."""
    configs = [member.config for member in snapshot.members]
    labels = questions.labels(configs)
    if all(member.gallery for member in snapshot.members):
        _show_galleries(snapshot, labels)
        if snapshot.checkpoints and all(BELIEFS[c.likelihood].in_browser for c in configs):
            with st.expander("Draw, and see what these networks keep", icon=":material/draw:"):
                drawing.show_run(snapshot, key="drawing-run")
    if all(member.steps for member in snapshot.members):
        _show_downloads(snapshot, labels)


def _show_galleries(snapshot: RunSnapshot, labels: Sequence[str]) -> None:
    """What every member draws, at first sight; what it knows and varies beside it, or folded."""
    members = snapshot.members
    st.header("What the latents mean", anchor="latents")
    if len(members) > 1:
        st.markdown(_PRIOR)
        _show_each("prior", members, labels, _show_prior)
    else:
        with layout.row("latents", "halves"):
            with st.container():
                st.markdown(_PRIOR)
                _show_prior(members[0])
            with st.container():
                st.markdown(_MAP)
                _show_map(members[0], 0, _reach(members))
                st.caption(_held(members[0]))
    _show_folded(snapshot.run_id)


@st.fragment
def _show_folded(run_id: str) -> None:
    """The rest of the galleries, sent when it is opened: it is most of what a pause would send,
    and going on is answered behind what is still on its way."""
    snapshot = shown.look(run_id)
    if snapshot is None or not all(member.gallery for member in snapshot.members):
        return
    members = snapshot.members
    several = len(members) > 1
    words = _FOLDED if several else _FOLDED_ALONE
    fold = st.expander(words, key="more-latents", on_change="rerun")
    if fold.open:
        with fold:
            if several:
                _show_compared(members, questions.labels([member.config for member in members]))
            else:
                st.markdown(_GRID)
                _show_grid(members[0])
                st.markdown(_TRAVERSALS)
                _show_traversals(members[0])


_FOLDED = "Where test images lie, the decoder over that, and one latent at a time"
_FOLDED_ALONE = "The decoder over those two latents, and one latent at a time"
_PRIOR = (
    "**Draws from the prior**, decoded: the *means* of what the model believes a picture is. The "
    "belief is each mean plus the likelihood's noise."
)
_MAP = "**Where test images lie** in the two most informative latents."
_GRID = "**The decoder over the same two latents**, each from −3 to 3."
_TRAVERSALS = (
    "**One latent at a time**, −3 to 3, the others 0: each row is a latent, the most informative "
    "first. A row that does not change is a latent that is not used."
)


def _show_compared(members: Sequence[MemberSnapshot], labels: Sequence[str]) -> None:
    """Maps, grids and traversals of all members, on axes that they share."""
    st.markdown(_MAP)
    reach = _reach(members)
    with layout.row("maps", "halves"):
        for index, (member, label) in enumerate(zip(members, labels, strict=True)):
            with st.container():
                st.markdown(f"**{label}**. {_held(member)}")
                _show_map(member, index, reach)
    st.markdown(_GRID)
    _show_each("grid", members, labels, _show_grid)
    st.markdown(_TRAVERSALS)
    for member, label in zip(members, labels, strict=True):
        st.caption(label)
        _show_traversals(member)


def _show_each(
    name: str,
    members: Sequence[MemberSnapshot],
    labels: Sequence[str],
    show: Callable[[MemberSnapshot], None],
) -> None:
    """The same picture of every member, side by side, each below its label."""
    with layout.row(name, "members"):
        for member, label in zip(members, labels, strict=True):
            with st.container():
                st.caption(label)
                show(member)


def _held(member: MemberSnapshot) -> str:
    """How much of what z says the map's two latents hold: why classes overlap in it."""
    gallery = member.gallery
    if gallery is None or len(gallery.latents) < 2 or not member.epochs:
        return ""
    nats = member.epochs[-1].test_kl_per_latent
    total, rest = sum(nats), len(nats) - 2
    if rest < 1 or not member.config.sampling or round(total, 1) <= 0:
        return ""
    held = sum(nats[latent] for latent in gallery.latents[:2])
    others = "1 other latent" if rest == 1 else f"{rest} other latents"
    return (
        f"These two hold **{held:.1f}** of **{total:.1f}** nats. What overlaps here, the "
        f"{others} may tell apart."
    )


def _show_prior(member: MemberSnapshot) -> None:
    gallery = member.gallery
    assert gallery is not None
    st.image(
        _once(gallery, "prior", lambda: tiles.light_url(tiles.tile(gallery.prior, 6), 2)),
        width="stretch",
        alt="decoder means at latents drawn from the prior",
    )


def _show_grid(member: MemberSnapshot) -> None:
    gallery = member.gallery
    assert gallery is not None
    st.image(
        _once(gallery, "grid", lambda: tiles.grid(gallery.grid, 2)),
        width="stretch",
        alt="decoder means on a grid over the two most informative latents",
    )


def _show_traversals(member: MemberSnapshot) -> None:
    gallery = member.gallery
    assert gallery is not None
    st.image(
        _once(gallery, "traversals", lambda: tiles.grid(gallery.traversals, 2, gap=1)),
        width=620,
        alt="decoder means along each of the most informative latents",
    )


def _once(gallery: GalleryEvent, part: str, build: Callable[[], str]) -> str:
    """What ``build`` makes of the gallery, made once for all who look."""
    # Kept beside its picture, the gallery's number stays its own.
    return _pictures.get((id(gallery), part), lambda: (gallery, build()))[1]


def _reach(members: Sequence[MemberSnapshot]) -> float:
    """How far the maps reach from 0: to the farthest code of any member, and to 3.6 at least.

    Codes of a plain autoencoder lie where they like.
    """
    codes = [each.gallery.codes for each in members if each.gallery is not None]
    return max(3.6, *(1.05 * float(np.abs(each).max(initial=0)) for each in codes))


def _show_map(member: MemberSnapshot, index: int, reach: float) -> None:
    gallery = member.gallery
    assert gallery is not None
    if len(gallery.latents) < 2:
        st.markdown("**One latent**: there is no map of two.")
        return
    names = _class_names(member.config, int(gallery.labels.max(initial=0)) + 1)
    codes, reach = tables.code_frame(gallery, names), round(reach, 1)
    figures.show(
        maps.build_map_chart,
        figures.to_arrow(tables.light(codes)),
        key=f"map-{index}",
        names=names,
        latents=gallery.latents,
        reach=reach,
        placed=maps.place_names(maps.middles_of(codes), reach),
    )


def _class_names(config: TrainConfig, classes: int) -> tuple[str, ...]:
    if config.dataset in ("digits", "mnist"):
        return DIGIT_NAMES
    if config.dataset == "fashion":
        return FASHION_NAMES
    return tuple(str(index) for index in range(classes))


def _show_downloads(snapshot: RunSnapshot, labels: Sequence[str]) -> None:
    st.header("Take it home", anchor="downloads")
    text = (
        "The script needs torch alone and repeats the run from its first step with its settings. A "
        "learning rate changed on the way is not among them."
    )
    if snapshot.checkpoints:
        text += " `python -m vae resume FILE` goes on from the weights."
    st.markdown(text)
    members, index = snapshot.members, 0
    if len(members) > 1:
        index = st.radio(
            "Script and weights of" if snapshot.checkpoints else "Script of",
            range(len(members)),
            format_func=labels.__getitem__,
            horizontal=True,
            key="download-member",
        )
    with st.container(horizontal=True):
        _show_film_downloads(snapshot, labels)
        _show_run_downloads(members[index].config, snapshot.checkpoints[index : index + 1])


def _show_film_downloads(snapshot: RunSnapshot, labels: Sequence[str]) -> None:
    members, moment = snapshot.members, (snapshot.run_id, snapshot.step)
    downloads.offer(
        "History (CSV)",
        "table",
        lambda: files.history_csv(members, labels),
        "history.csv",
        "text/csv",
        key=moment,
    )
    if all(member.frames for member in members):
        downloads.offer(
            "Animation (GIF)",
            "animation",
            lambda: files.animation_gif(members),
            "training.gif",
            "image/gif",
            key=moment,
        )


def _show_run_downloads(config: TrainConfig, checkpoints: Sequence[str]) -> None:
    downloads.offer(
        "Script",
        "code",
        lambda: standalone.build_script(config),
        standalone.file_name(config),
        "text/x-python",
        key=config,
    )
    for exercise, label, icon in ((False, "Notebook", "book"), (True, "Exercise", "edit_note")):
        build = notebook.build_exercise if exercise else notebook.build_notebook
        downloads.offer(
            label,
            icon,
            partial(build, config),
            notebook.notebook_name(config, exercise=exercise),
            "application/x-ipynb+json",
            key=config,
        )
    for path in checkpoints:
        name = f"vae-{config.likelihood}.pt"
        downloads.offer("Weights", "save", Path(path).read_bytes, name, _BYTES)
    if standalone.needs_images(config):
        drawn_with = config.seed if config.binarise != "none" else None
        downloads.offer(
            "Images for the script",
            "image",
            lambda: files.images_npz(config),
            standalone.images_name(config),
            _BYTES,
            key=(config.dataset, config.grey, config.binarise, drawn_with),
            kept=downloads.LARGE,
        )
