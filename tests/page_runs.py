"""A page's script run without a browser, and what it shows."""

import json
import os
import re
from pathlib import Path
from typing import Any

from appserver import ROOT
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import WidgetList

from vae.web import navigation


def open_app(page: str = "overview", **query: str) -> AppTest:
    """The whole app at an address of ``pages/PAGE.py``; fails on an exception."""
    app = AppTest.from_file(navigation.__file__, default_timeout=90)
    if page != "overview":
        app.run()
        script = navigation.page_file(page)
        app.switch_page(os.path.relpath(script, Path(navigation.__file__).parent))
    return _run(app, query)


def run_page(name: str, **query: str) -> AppTest:
    """The page ``pages/NAME.py`` alone at an address with this query; fails on an exception."""
    return _run(AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=90), query)


def _run(app: AppTest, query: dict[str, str]) -> AppTest:
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def control(kind: WidgetList[Any], name: str) -> Any:
    """The control ``name`` of this kind, however often the page has set it to something else.

    Raises ``KeyError`` where there is none.
    """
    for each in controls(kind, name):
        return each
    raise KeyError(name)


def controls(kind: WidgetList[Any], name: str) -> list[Any]:
    """All that are the control ``name`` of this kind."""
    key = re.compile(re.escape(name) + r"(-\d+)?")
    return [each for each in kind if key.fullmatch(each.key or "")]


def text_of(app: AppTest) -> str:
    """All markdown of the page."""
    return "\n".join(element.value for element in app.markdown)


def said(app: AppTest) -> str:
    """What a screen reader is told."""
    return _told(app)["said"]


def is_quiet(app: AppTest) -> bool:
    """Whether what the page opens with is left to be read, and only changes are spoken."""
    return bool(_told(app)["quiet"])


def _told(app: AppTest) -> dict[str, Any]:
    [found] = sent_to(app, "vae.said")
    return found


def sent_to(app: AppTest, component: str) -> list[dict[str, Any]]:
    """The data that each of the page's components of this name is sent."""
    protos = [each.proto for each in app.get("bidi_component")]
    return [json.loads(sent(each))[0] for each in protos if each.component_name == component]


def sent(proto: Any) -> str:
    """The data of a component, as JSON."""
    text: str = proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json
    return text
