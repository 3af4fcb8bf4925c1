"""Every figure: valid Vega-Lite, described, and built without what makes building slow."""

import contextlib
import html
import json
import math
import re
import tomllib
from pathlib import Path

import altair as alt
import pytest
import vl_convert
from chart_samples import ARGUMENTS, BUILDERS

from vae.charts.kit.parts import stroke_legend
from vae.charts.kit.theme import STYLES, TEXT, dressed, in_themes
from vae.charts.train.styles import without_data

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"


def test_every_builder_is_held_against_the_schema():
    assert sorted(BUILDERS) == sorted(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_figure_is_valid_and_described(name):
    """Pages take specifications as they are, without Altair's validation."""
    chart = BUILDERS[name](**ARGUMENTS[name])
    spec = chart.to_dict(validate=True)
    assert spec == chart.to_dict(validate=False)
    assert without_data(spec)["description"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_building_looks_no_channel_up(name, monkeypatch):
    """``encode(x="v:Q")`` has Altair search all its classes, some 10 ms each; ``alt.X`` is one."""

    def searched(given, **_):
        raise AssertionError(f"{name}: {given} is no channel object")

    monkeypatch.setattr(alt.SchemaBase, "from_dict", searched)
    BUILDERS[name](**ARGUMENTS[name])


def _parts(part):
    """Every object in a specification."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            yield from _parts(inner)


def _luminance(colour):
    parts = [byte / 255 for byte in bytes.fromhex(colour.removeprefix("#"))]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    low, high = sorted(_luminance(colour) + 0.05 for colour in (one, other))
    return high / low


# The ends and the middle of scales for pixels, which are areas and not marks.
_PIXELS = {"#000000", "#ffffff", "#E6E8EB"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_mark_of_a_figure_is_faint_on_its_ground(dark):
    specs = [
        json.dumps(BUILDERS[name](**ARGUMENTS[name]).to_dict(validate=False)) for name in ARGUMENTS
    ]
    drawn = set(re.findall(r"#[0-9A-Fa-f]{6}", "".join(specs))) - _PIXELS
    drawn |= {style.colour for style in STYLES.values()}
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]["dark" if dark else "light"]
    shades = [re.findall(r"#[0-9A-Fa-f]{6}", in_themes(colour)) for colour in drawn]
    faint = {
        shade[-dark]: _contrast(shade[-dark], theme["backgroundColor"])
        for shade in shades
        if _contrast(shade[-dark], theme["backgroundColor"]) < 3
    }
    assert len(drawn) > 8
    assert faint == {}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_text_of_a_figure_belongs_to_the_type_scale(name):
    """14 px and more, nothing cut short, and the style sheet's colour, which fits the theme."""
    spec = dressed(BUILDERS[name](**ARGUMENTS[name]).to_dict(validate=False))
    parts = list(_parts(spec))
    sizes = [part[key] for part in parts for key in part if key.lower().endswith("fontsize")]
    assert min(sizes) >= TEXT
    config = spec["config"]
    assert {"axis", "legend", "header", "title", "text"} <= config.keys()
    assert [part["labelLimit"] for part in parts if "labelLimit" in part] == [0, 0, 0]
    texts = [part for part in parts if part.get("type") == "text"]
    assert not [mark for mark in texts if "color" in mark]


# Where squared error is an amount that is measured, not a loss: it needs no sigma.
AMOUNTS = {
    "derivation.image.build_error_map_chart": "the error of each pixel as it is",
    "train.bound.build_bound_chart": "runs, whose names say their sigma",
    "train.curves.build_curve_chart": "runs, whose names say their sigma",
    "train.curves.build_kl_chart": "runs, whose names say their sigma",
    "train.curves.build_trade_chart": "runs, whose names say their sigma; the error is an axis",
    "train.rate.build_rate_chart": "runs, whose names say their sigma; the error is an axis",
}
_SQUARED = re.compile(r"\bMSE\b|[Ss]quared error")


def _words(spec):
    """What a figure shows in words: names, titles, texts and the text parts of expressions."""
    for part in _parts(spec):
        for key, value in part.items():
            if key == "calculate":
                yield from re.findall(r"'([^']*)'", value)
            elif key in ("title", "text", "name") and isinstance(value, str):
                yield value
            elif key == "domain" and isinstance(value, list):
                yield from (name for name in value if isinstance(name, str))


def _unnamed(spec):
    """Whether squared error is drawn, or told in the alternative, without its sigma there."""
    shown, told = "\n".join(_words(spec)), without_data(spec)["description"]
    return bool(
        (_SQUARED.search(shown) and "σ" not in shown)
        or (_SQUARED.search(told) and "sigma" not in told.lower())
    )


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_figure_that_draws_squared_error_names_its_sigma(name):
    """In its own words and in its text alternative: at which, or that it holds at any."""
    given = ARGUMENTS[name]
    others = [{"family": "gaussian"}] if "family" in given and name.startswith("beliefs.") else []
    for changed in ({}, *others):
        spec = BUILDERS[name](**{**given, **changed}).to_dict(validate=False)
        assert _unnamed(spec) == (name in AMOUNTS), name


def test_a_squared_error_without_its_sigma_is_found():
    bare = alt.Chart(description="MSE against p.").mark_line().to_dict()
    assert _unnamed(bare)
    assert not _unnamed({**bare, "description": "MSE, at any sigma, against p."})
    assert _unnamed({**bare, "description": "Two losses.", "title": "squared error"})
    assert not _unnamed({**bare, "description": "", "title": "squared error, any σ"})
    assert _unnamed({"description": "", "calculate": "'MSE: ' + format(v, '.2f')"})


def _ragged(spec):
    """Legends with symbols too short for a dash that they show, or with dashed outlines."""
    found = []
    for part in _parts(spec):
        encoding = part.get("encoding", {})
        dashes = encoding.get("strokeDash", {}).get("scale", {}) if encoding else {}
        if not dashes or "field" not in encoding["strokeDash"]:
            continue
        period = max(sum(dash) * (1 + len(dash) % 2) for dash in dashes["range"])
        legends = [
            encoding[channel].get("legend", {})
            for channel in ("color", "strokeDash")
            if encoding.get(channel, {}).get("field") == encoding["strokeDash"]["field"]
        ]
        # A legend that one channel leaves out and the other does not is that of the other.
        shown = [legend for legend in legends if legend is not None]
        if not shown or all(dash in ([1, 0], []) for dash in dashes["range"]):
            continue
        kind = next((each["symbolType"] for each in shown if "symbolType" in each), "none")
        size = next((each["symbolSize"] for each in shown if "symbolSize" in each), 100)
        if kind != "stroke" or math.sqrt(size) < 1.5 * period:
            found.append((kind, size, dashes["range"]))
    return found


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_legend_shows_its_dashes_whole(name):
    given = ARGUMENTS[name]
    kinds = [given, {**given, "named": True}] if "styles" in given else [given]
    for arguments in kinds:
        with contextlib.suppress(TypeError):
            assert not _ragged(BUILDERS[name](**arguments).to_dict(validate=False)), name


def test_a_ragged_legend_is_found():
    lines = alt.Chart().mark_line()
    dash = alt.StrokeDash("v:N", scale=alt.Scale(domain=["a", "b"], range=[[1, 0], [12, 3]]))
    short = alt.Color("v:N", legend=alt.Legend(symbolType="stroke", symbolSize=300))
    assert _ragged(lines.encode(color=short, strokeDash=dash).to_dict())
    assert not _ragged(
        lines.encode(color=alt.Color("v:N", legend=stroke_legend()), strokeDash=dash).to_dict()
    )
    assert not _ragged(lines.encode(strokeDash=dash.legend(None)).to_dict())


# A computer's minus and its powers of ten.
_TYPED = re.compile(r"(?<![\w.])-\d|\d(?:\.\d+)?e[+-]?\d")


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_figure_writes_its_numbers_as_a_text_does(name):
    spec = dressed(BUILDERS[name](**ARGUMENTS[name]).to_dict(validate=False))
    assert not _TYPED.search(without_data(spec)["description"])
    svg = vl_convert.vegalite_to_svg({**spec, "width": 400})
    said = [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)", svg)]
    assert not [text for text in said if _TYPED.search(text)]


def test_a_computers_number_is_found():
    assert _TYPED.search("1e-8")
    assert _TYPED.search("-3")
    assert not _TYPED.search("10⁻⁸, −3, x-axis")


def test_a_wrong_specification_is_found():
    chart = alt.Chart().mark_bar(size="wide").encode(x=alt.X("v:Q"))
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        chart.to_dict()
