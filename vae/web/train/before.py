"""Before a run: the question, the controls, the images it will learn from, ways to share."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vae.config import DATASETS, TrainConfig
from vae.images.sets import DataUnavailable, load_sample
from vae.lessons import questions
from vae.lessons.questions import LESSONS, MOST_MEMBERS, VARIANTS
from vae.runs.limits import Limits
from vae.runs.snapshots import RunSnapshot
from vae.web import quiz
from vae.web.kit import address, layout
from vae.web.train import commands, loss, pictures, shown, state
from vae.web.train.page_state import PageState

_PICTURES = 10
# Compressed sizes of the two sets' files.
_MEGABYTES = {"mnist": 12, "fashion": 31}


def show_notes() -> None:
    """What of the address, or of a control, could not be used."""
    for wrong in state.wrong_values():
        address.note(wrong)
    for sentence in state.refused():
        st.info(address.plain(sentence), icon=":material/link_off:")


def show_question(page: PageState) -> None:
    """Questions to choose from; each sets the controls below."""
    if page.shows("presets"):
        st.pills(
            "Ask a question",
            list(LESSONS),
            format_func=lambda name: LESSONS[name].name,
            key=state.key("lesson", page),
            label_visibility="collapsed",
            required=True,
        )
    lesson = page.question
    st.markdown(f"**{lesson.question}** {lesson.predict} *Look at {lesson.look}.*")


def show_controls(page: PageState, limits: Limits) -> None:
    """The few choices at hand, in a row."""
    names = page.visible()
    if names:
        with st.container(horizontal=True, key="train-controls"):
            for name in names:
                state.draw(name, page, limits, width=_width(name))
    # Plain text stands on paper alone (print.css), where no controls say it.
    st.text(f"Settings: {questions.describe(page.members)}.")


def show_choices(page: PageState, limits: Limits) -> None:
    """All the other choices, folded."""
    rest = page.advanced()
    compare = page.shows("against")
    if not rest and not compare:
        return
    with st.expander("More choices, and what to train beside it", icon=":material/tune:"):
        if compare:
            _show_against(page)
        with layout.row("advanced", "thirds"):
            for name in rest:
                state.draw(name, page, limits)


def show_loss(configs: Sequence[TrainConfig]) -> None:
    """What theory expects, the equation and its code, folded."""
    labels = questions.labels(configs)
    with st.expander(
        "What theory expects, and the loss as an equation", icon=":material/function:"
    ):
        loss.show_prediction(configs, labels)
        loss.show_loss(configs, labels)
    with st.expander("The loss as lines of PyTorch", icon=":material/code:"):
        loss.show_code(configs, labels)


def _width(name: str) -> int:
    wide = {"likelihood": 250, "dataset": 132, "grey": 110, "reduction": 200, "sampling": 235}
    return wide.get(name, 82)


def _show_against(page: PageState) -> None:
    st.multiselect(
        "Train beside it, from the same seed",
        list(VARIANTS),
        format_func=lambda name: VARIANTS[name].label,
        key=state.key("against", page),
        max_selections=MOST_MEMBERS - 1,
        help="each differs from the settings above in one thing; data, order and first weights "
        "are the same",
    )


def show_missing(config: TrainConfig) -> None:
    if commands.is_missing(config):
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
    lesson = LESSONS[questions.lesson_of([member.config for member in snapshot.members])]
    what = "This run was trained before." if shown.is_shown(snapshot.run_id) else "You watch a run."
    st.markdown(f"{what} **{lesson.question}** {lesson.predict} *Look at {lesson.look}.*")
    st.button(
        "Train my own with these settings",
        key="adopt",
        icon=":material/content_copy:",
        on_click=commands.adopt,
    )


def show_sharing(page: PageState) -> None:
    """Two links: the settings, and the run as it goes on."""
    with st.popover("Share", icon=":material/share:", key="share"):
        st.markdown("**These settings**, seed included, for others to train themselves:")
        link, note = state.link(page)
        st.code(link, language=None, wrap_lines=True)
        quiz.show_link("Copy link", link, key="share-settings")
        if page.run:
            watching = state.watch_link(page)[0]
            st.markdown("**This run**, to watch live, without its buttons:")
            st.code(watching, language=None, wrap_lines=True)
            quiz.show_link("Copy link", watching, key="share-run")
        if note:
            st.caption(note)
        st.markdown(
            "To hide controls in a lesson, add for example `&hide=seed,batch_size,against`."
        )
