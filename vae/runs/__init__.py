"""The server's side of training: queue, watch, records, folders; no torch, no Streamlit."""
