"""Before a run: the question, the controls, the images it will learn from, ways to share."""

from pathlib import Path

import numpy as np
import streamlit as st

from vae.config import DATASETS, TrainConfig, option
from vae.images.sets import DataUnavailable, is_available, load_sample
from vae.lessons import questions
from vae.lessons.questions import LESSONS, MOST_MEMBERS, VARIANTS
from vae.runs.limits import Limits
from vae.runs.snapshots import RunSnapshot
from vae.web.kit import layout
from vae.web.train import loss, pictures, state

_PICTURES = 10
_STYLE = (Path(__file__).parents[1] / "assets" / "train.css").read_text(encoding="utf-8")
# Compressed sizes of the two sets' files.
_MEGABYTES = {"mnist": 12, "fashion": 31}


def use_style() -> None:
    """The page's own spacing."""
    st.html(f"<style>{_STYLE}</style>")


def show_question() -> None:
    """Questions to choose from; each sets the controls below."""
    key = "train_question"
    st.session_state[key] = state.lesson()
    if "presets" not in state.hidden():
        st.pills(
            "Ask a question",
            list(LESSONS),
            format_func=lambda name: LESSONS[name].name,
            key=key,
            label_visibility="collapsed",
            required=True,
            on_change=lambda: state.apply_lesson(st.session_state[key] or "free"),
        )
    lesson = LESSONS[state.lesson()]
    st.markdown(f"**{lesson.question}** {lesson.predict} *Look at {lesson.look}.*")


def show_controls(limits: Limits) -> None:
    """The few choices at hand in a row, all the others in one expander."""
    values = state.values()
    shown = LESSONS[state.lesson()].show
    names = state.visible_names(values, shown)
    if names:
        with st.container(horizontal=True, key="train-controls"):
            for name in names:
                state.draw(name, limits, width=_width(name))
    rest = state.advanced_names(values, shown)
    compare = "against" not in state.hidden()
    folds = layout.row("folds", "wide")
    if rest or compare:
        with (
            folds,
            st.expander("More choices, and what to train beside it", icon=":material/tune:"),
        ):
            if compare:
                _show_against()
            with layout.row("advanced", "thirds"):
                for name in rest:
                    state.draw(name, limits)
    with folds, st.expander("The loss as lines of PyTorch", icon=":material/code:"):
        configs = questions.members(state.current(), state.against())
        loss.show_code(configs, questions.labels(configs))


def _width(name: str) -> int:
    wide = {"likelihood": 212, "dataset": 140, "grey": 110, "reduction": 200, "sampling": 235}
    return wide.get(name, 90)


def _show_against() -> None:
    key = "train_beside"
    st.session_state[key] = list(state.against())
    st.multiselect(
        "Train beside it, from the same seed",
        list(VARIANTS),
        format_func=lambda name: VARIANTS[name].label,
        key=key,
        max_selections=MOST_MEMBERS - 1,
        on_change=lambda: state.set_against(st.session_state[key]),
        help="each differs from the settings above in one thing; data, order and first weights "
        "are the same",
    )


def is_missing(config: TrainConfig) -> bool:
    """Whether the images have to be downloaded before a run can start."""
    return config.dataset != "images" and not is_available(config.dataset)


def show_missing(config: TrainConfig) -> None:
    if is_missing(config):
        st.info(
            f"{DATASETS[config.dataset]} is not on this machine yet. The button fetches it "
            f"(about {_MEGABYTES.get(config.dataset, 0)} MB, once); the built-in digits need no "
            "download.",
            icon=":material/download:",
        )


def show_targets(config: TrainConfig) -> None:
    """The images that the run will learn to rebuild, so that the page is not empty before it."""
    try:
        images, labels = load_sample(config.dataset, 200, grey=config.grey)
    except DataUnavailable:
        return
    first = np.unique(labels, return_index=True)[1][:_PICTURES]
    pictures.show_targets(images[first], key="targets")


def show_watched(snapshot: RunSnapshot) -> None:
    """What somebody else's run trains, and a way to train the same."""
    configs = [member.config for member in snapshot.members]
    names = " · ".join(questions.labels(configs))
    settings = ", ".join(
        f"{option(name).label.lower()} {value}" for name, value in configs[0].to_query().items()
    )
    st.markdown(
        f"You watch a run live: **{names}** on {DATASETS[configs[0].dataset]}"
        + (f", {settings}." if settings else ".")
    )
    st.button(
        "Train my own with these settings",
        key="adopt",
        icon=":material/content_copy:",
        on_click=state.copy_settings,
        args=(configs[0],),
    )


def show_sharing() -> None:
    """Two links: the settings, and the run as it goes on."""
    with st.popover("Share", icon=":material/share:", key="share"):
        st.markdown("**These settings**, seed included, for others to train themselves:")
        st.code(state.link(run=False), language=None, wrap_lines=True)
        if state.run_id():
            st.markdown("**This run**, to watch live, without its buttons:")
            st.code(state.watch_link(), language=None, wrap_lines=True)
        st.markdown(
            "To hide controls in a lesson, add for example `&hide=seed,batch_size,against`."
        )
