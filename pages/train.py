"""Train: ask a question, predict, train, compare, and take the run home."""

import streamlit as st

from vae.lessons import questions
from vae.runs.limits import load_limits
from vae.web.train import before, loss, run, state

limits = load_limits()
page = state.read(limits)

before.use_style()
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
    else:
        before.show_watched(watched)

configs = page.members if watched is None else tuple(each.config for each in watched.members)
with st.container():
    labels = questions.labels(configs)
    loss.show_loss(configs, labels)
    loss.show_prediction(configs, labels)
    before.show_missing(configs[0])

run.show_run(page)
run.show_after(page)
before.show_sharing(page)
state.write_address(page)
