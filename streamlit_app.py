"""Entry point: page configuration and navigation, nothing else."""

import streamlit as st

st.set_page_config(
    page_title="What is a VAE's loss?", page_icon=":material/functions:", layout="wide"
)
st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("pages/derivation.py", title="Derivation", icon=":material/functions:"),
        st.Page("pages/bias.py", title="Bias", icon=":material/balance:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
    ]
).run()
