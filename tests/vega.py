"""Evaluate Vega expressions, and whole charts' data, in the Vega runtime that browsers use.

Figures compute in the browser, so the tests must run the very expressions that are drawn: Vega is
run through vl-convert, and every value comes back with all its digits.
"""

import html
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

_SEPARATOR = "|"
Row = Mapping[str, Any]


class VegaError(ValueError):
    """An expression that Vega cannot parse, or a result that is no number."""


def evaluate(
    expression: str, rows: Sequence[Row], params: Mapping[str, Any] | None = None
) -> list[float]:
    """``expression`` at every row (``datum``), as floats; NaN and infinities included.

    ``params`` are Vega parameters in order: a plain value, or ``{"expr": "..."}`` for one that is
    derived from those before it (the form that ``parameters_of`` gives). Raises ``VegaError``
    when Vega cannot parse an expression, or when a result is null or text.
    """
    return calculate([("result", expression)], rows, params, field="result")


def calculate(
    transforms: Sequence[tuple[str, str]],
    rows: Sequence[Row],
    params: Mapping[str, Any] | None = None,
    *,
    field: str,
) -> list[float]:
    """``field`` of every row after the ``(name, expression)`` pairs ``transforms`` in order."""
    if not rows:
        return []
    spec = {
        "signals": _signals(params or {}),
        "data": [
            {
                "name": "rows",
                "values": [{key: _json(value) for key, value in row.items()} for row in rows],
                "transform": [
                    *_restore_non_finite(rows),
                    *({"type": "formula", "as": name, "expr": expr} for name, expr in transforms),
                ],
            }
        ],
    }
    return [_number(text) for text in _read(spec, [_joined("rows", field)])[0]]


def parameters_of(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The parameters of ``chart``, panels and layers included: name to value or ``{"expr"}``."""
    found = {}
    for part in _parts(chart.to_dict()):
        for param in part.get("params", []):
            if "expr" in param:
                found[param["name"]] = {"expr": param["expr"]}
            elif "select" not in param:
                found[param["name"]] = param.get("value")
    return found


def transforms_of(chart: alt.TopLevelMixin) -> list[tuple[str, str]]:
    """The ``(name, expression)`` pairs that ``chart`` calculates, in order, each once."""
    pairs = (
        (step["as"], step["calculate"])
        for part in _parts(chart.to_dict())
        for step in part.get("transform", [])
        if "calculate" in step
    )
    return list(dict.fromkeys(pairs))


def rows_of(
    chart: alt.TopLevelMixin, fields: Sequence[str], params: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """What ``chart`` draws: the rows of every data set that has all ``fields``, in order.

    ``params`` override the chart's own opening values. Numbers come back as floats, text as text.
    Raises ``VegaError`` when no data set has the fields.
    """
    spec = vl_convert.vegalite_to_vega(chart.to_dict())
    signals = {signal["name"]: signal for signal in spec.get("signals", [])}
    for name, value in (params or {}).items():
        if name not in signals:
            raise VegaError(f"params: {name!r} given; the chart has {sorted(signals)}")
        signals[name].pop("update", None)
        signals[name]["value"] = value
    names = [data["name"] for data in spec["data"]]
    wanted = [_joined(name, field) for name in names for field in fields]
    columns = iter(_read({"signals": list(signals.values()), "data": spec["data"]}, wanted))
    rows = []
    for _ in names:
        values = [next(columns) for _ in fields]
        if all(any(text for text in column) for column in values):
            rows += [
                dict(zip(fields, map(_value, row), strict=True))
                for row in zip(*values, strict=True)
            ]
    if not rows:
        raise VegaError(f"fields: no data set of the chart has all of {list(fields)}")
    return rows


def _parts(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield spec
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for child in spec.get(key, []):
            yield from _parts(child)
    if isinstance(spec.get("spec"), Mapping):
        yield from _parts(spec["spec"])


def _signals(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "update": value["expr"]}
        if isinstance(value, Mapping)
        else {"name": name, "value": value}
        for name, value in params.items()
    ]


def _json(value: Any) -> Any:
    """JSON has no NaN or infinity: they travel as text (see ``_restore_non_finite``)."""
    if isinstance(value, str | bool):
        return value
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else ("Infinity" if number > 0 else "-Infinity")


def _restore_non_finite(rows: Sequence[Row]) -> Iterator[dict[str, str]]:
    for key in rows[0]:
        values = [row[key] for row in rows if not isinstance(row[key], str | bool)]
        if any(not math.isfinite(float(value)) for value in values):
            yield {"type": "formula", "as": key, "expr": f"toNumber(datum['{key}'])"}


def _joined(data: str, field: str) -> str:
    return f"join(pluck(data('{data}'), '{field}'), '{_SEPARATOR}')"


def _read(spec: Mapping[str, Any], expressions: Sequence[str]) -> list[list[str]]:
    """The texts that ``expressions`` give, split; read from the rendered SVG.

    They travel as the marks' descriptions: the runtime would spend seconds on measuring the width
    of a long text mark.
    """
    marks = [
        {
            "type": "rect",
            "encode": {
                "update": {
                    "width": {"value": 1},
                    "height": {"value": 1},
                    # An empty description is left out of the drawing.
                    "description": {"signal": f"'<' + ({expression})"},
                }
            },
        }
        for expression in expressions
    ]
    whole = {
        "$schema": "https://vega.github.io/schema/vega/v6.json",
        "width": 10,
        "height": 10,
        **spec,
        "marks": marks,
    }
    try:
        svg = vl_convert.vega_to_svg(whole)
    except ValueError as error:
        raise VegaError(str(error)) from None
    texts = [html.unescape(text) for text in re.findall(r'aria-label="(&lt;[^"]*)"', svg)]
    if len(texts) != len(expressions):
        raise VegaError(f"{list(expressions)}: Vega gave {texts!r:.200}")
    return [text[1:].split(_SEPARATOR) for text in texts]


def _number(text: str) -> float:
    if text in ("true", "false"):
        return float(text == "true")
    # Python reads what JavaScript writes, except for the infinities' full name.
    try:
        return float(text)
    except ValueError:
        raise VegaError(f"the expression gave {text!r}, which is not a number") from None


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def grid(**axes: Sequence[float]) -> list[dict[str, float]]:
    """Rows for every combination of the values of ``axes``."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
