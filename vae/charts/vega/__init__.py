"""Formulas as Vega expressions: what moves while a dial is dragged."""
