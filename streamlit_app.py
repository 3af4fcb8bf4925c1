"""Entry point: ``streamlit run streamlit_app.py``. What a page shows is in pages/."""

import streamlit as st

from vae.web import navigation, server

server.start_only_with_a_good_environment()
app = st.App(
    navigation.__file__,
    lifespan=server.serving,
    middleware=server.middleware(),
    routes=server.routes(),
)
