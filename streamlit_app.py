"""Entry point: page configuration and navigation; what to show is in pages/."""

from pathlib import Path

import streamlit as st

from vae import ui_frame, ui_server

# A file of our own: the browser would fetch a named symbol from another host.
_ICON = Path(__file__).parent / "vae" / "assets" / "icon.svg"

st.set_page_config(page_title="What is a VAE's loss?", page_icon=_ICON, layout="wide")
ui_server.answer_at_once()
ui_server.allow_many_sessions()
ui_server.switch_often()
page = st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/derivation.py", title="Derivation", icon=":material/functions:"),
        st.Page("pages/bias.py", title="Bias", icon=":material/balance:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
    ],
    position=ui_frame.navigation_position(),
)
with ui_server.one_at_a_time():
    ui_frame.show_frame()
    page.run()
ui_server.settle_memory()
