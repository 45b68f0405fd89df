"""A Streamlit app with one question."""

from __future__ import annotations

import streamlit

streamlit.title("Streamlit behind a proxy")
if streamlit.button("Ask"):
    streamlit.write(f"Streamlit says {6 * 7}")
