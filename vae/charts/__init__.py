"""Figures: numbers or tables in, Vega-Lite charts out; no page and no server here."""

# Altair takes pandas as it finds it. While another session's thread is still importing it, that
# is a module without contents; whoever imports a figure waits here until it is whole.
import pandas  # noqa: F401
from altair.utils.schemapi import disable_debug_mode

# Altair would hold every part of a figure against its schema while it is built, a third of the
# time that a new server's first visitor waits; tests/test_charts.py holds all figures against it.
disable_debug_mode()
