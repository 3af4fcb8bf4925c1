"""Train: ask a question, predict, train, compare, and take the run home."""

import streamlit as st

from vae import ui_address, ui_loss, ui_run, ui_settings, ui_start
from vae.lessons import questions
from vae.runs.limits import load_limits

limits = load_limits()
ui_settings.read_address()

ui_start.use_style()
st.title("Train: predict, then look")
# Each part has a place of its own: a question that shows more or fewer controls must not move the
# buttons below to another place of the page, where a press in that moment would miss them.
with st.container():
    for wrong in ui_settings.notes():
        ui_address.note(wrong)
    for sentence in ui_settings.bounded(limits):
        st.info(sentence, icon=":material/link_off:")
    ui_run.show_lost()

watched = ui_run.watched()
with st.container():
    if watched is None:
        ui_start.show_question()
        ui_start.show_controls(limits)
        configs = questions.members(ui_settings.safe_current(), ui_settings.against())
    else:
        ui_start.show_watched(watched)
        configs = tuple(member.config for member in watched.members)

with st.container():
    labels = questions.labels(configs)
    ui_loss.show_loss(configs, labels)
    ui_loss.show_prediction(configs, labels)
    ui_start.show_missing(configs[0])

ui_run.show_run(configs, missing=ui_start.is_missing(configs[0]))
ui_run.show_after(configs)
ui_start.show_sharing()
ui_settings.write_address()
