"""The only part that knows Streamlit: the server, the frame around the pages, what pages share."""
