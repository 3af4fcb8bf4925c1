"""Placeholder."""

import streamlit as st

from vae import ui_server

ui_server.require_entry()
st.title("overview")
