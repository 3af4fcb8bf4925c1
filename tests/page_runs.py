"""A page's script run without a browser, and what it shows."""

from appserver import ROOT
from streamlit.testing.v1 import AppTest


def run_page(name: str, **query: str) -> AppTest:
    """The page ``pages/NAME.py`` at an address with this query; fails on an exception."""
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=90)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def text_of(app: AppTest) -> str:
    """All markdown of the page."""
    return "\n".join(element.value for element in app.markdown)
