"""The dashboard: thin Streamlit views over the hall."""
