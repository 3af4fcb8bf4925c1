"""Entry point: ``streamlit run streamlit_app.py``. What a page shows is in pages/."""

import streamlit as st

from vae import ui_server
from vae.web import navigation

app = st.App(navigation.__file__, lifespan=ui_server.serving, middleware=ui_server.middleware())
