"""The style of all pages, a file that the page's document names, and how a page opens.

A style that came with the page's messages would be there after its first words: these would be laid
out anew, two and three times, before the reader's eyes.
"""

import gzip
import hashlib
from pathlib import Path

from vae.charts.kit.theme import figures_style
from vae.web.streamlit_private import FONT_FILES

_ASSETS = Path(__file__).parent / "assets"
# Read once: static text of our own, with nothing of an address or a user in it.
_STYLE = figures_style() + "".join(
    (_ASSETS / name).read_text(encoding="utf-8")
    for name in (
        "frame.css",
        "rows.css",
        "folds.css",
        "focus.css",
        "classroom.css",
        "train.css",
        "drawing_place.css",
        "print.css",
    )
)
CONTENT = gzip.compress(_STYLE.encode(), mtime=0)
DIGEST = hashlib.sha256(_STYLE.encode()).hexdigest()[:12]
"""Changes with the style: a browser keeps it for good."""
PATH = f"style/{DIGEST}/frame.css"
# Words in another face are wider or narrower: a page is shown when its own faces are there.
_CAME = f"faceCame({len(FONT_FILES) + 1})"

IN_HEAD = "".join(
    (
        "<script>",
        (_ASSETS / "opening.js").read_text(encoding="utf-8"),
        f"{_CAME};",
        (_ASSETS / "first_section.js").read_text(encoding="utf-8"),
        "</script><style>",
        (_ASSETS / "opening.css").read_text(encoding="utf-8"),
        "</style>",
        *(
            f'<link rel="preload" href="./static/media/{name}" as="font" crossorigin '
            f'onload="{_CAME}" onerror="{_CAME}">'
            for name in FONT_FILES
        ),
    )
).encode()
IN_BODY = f'<link rel="stylesheet" href="./{PATH}">'.encode()
"""After the head with Streamlit's styles: of two rules that weigh the same the later wins."""
