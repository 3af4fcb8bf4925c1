"""Train: ask a question, predict, train, compare, and take the run home."""

import streamlit as st

from vae.runs.limits import load_limits
from vae.web.train import before, guess, run, state

limits = load_limits()
page = state.read(limits)

st.title("Train: predict, then look")
# Each part has a place of its own: a question that shows more or fewer controls must not move the
# buttons below to another place of the page, where a press in that moment would miss them.
with st.container():
    before.show_notes()
    run.show_lost(page)

page, watched = run.find(page)
with st.container():
    if watched is None:
        before.show_question(page)
        before.show_controls(page, limits)
        before.show_missing(page.config)
    else:
        before.show_watched(watched)
    guess.show(page, watched or run.current(page))

run.show_run(page)
with st.container(key="train-folds"):
    before.show_loss(page.members if watched is None else run.trained(watched))
    if watched is None:
        before.show_choices(page, limits)
run.show_after(page)
before.show_sharing(page)
state.write_address(page)
