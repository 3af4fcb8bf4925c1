"""Figures: numbers or tables in, Vega-Lite charts out; no page and no server here."""

# Altair takes pandas as it finds it. While another session's thread is still importing it, that
# is a module without contents; whoever imports a figure waits here until it is whole.
import pandas  # noqa: F401
