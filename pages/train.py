"""Train: ask a question, predict, train, compare, and take the run home."""

import streamlit as st

from vae.lessons import questions
from vae.runs.limits import load_limits
from vae.web.kit import address
from vae.web.train import before, loss, run, state

limits = load_limits()
state.read_address()

before.use_style()
st.title("Train: predict, then look")
# Each part has a place of its own: a question that shows more or fewer controls must not move the
# buttons below to another place of the page, where a press in that moment would miss them.
with st.container():
    for wrong in state.notes():
        address.note(wrong)
    for sentence in state.bounded(limits):
        st.info(sentence, icon=":material/link_off:")
    run.show_lost()

watched = run.watched()
with st.container():
    if watched is None:
        before.show_question()
        before.show_controls(limits)
        configs = questions.members(state.safe_current(), state.against())
    else:
        before.show_watched(watched)
        configs = tuple(member.config for member in watched.members)

with st.container():
    labels = questions.labels(configs)
    loss.show_loss(configs, labels)
    loss.show_prediction(configs, labels)
    before.show_missing(configs[0])

run.show_run(configs, missing=before.is_missing(configs[0]))
run.show_after(configs)
before.show_sharing()
state.write_address()
