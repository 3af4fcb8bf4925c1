"""A link as a QR code, drawn by the server: nothing of it is kept."""

import io

import segno

from vae.memo import shared

MOST_LETTERS = 1000


@shared(maxsize=128)
def qr_svg(text: str) -> str:
    """``text``, an address, as an SVG picture, dark on light with a quiet zone of four modules.

    Raises ``ValueError`` where it is no address, or longer than ``MOST_LETTERS``.
    """
    if not text.startswith(("http://", "https://")) or len(text) > MOST_LETTERS:
        raise ValueError(
            f"text: {len(text)} characters given; allowed is an address of at most {MOST_LETTERS}"
        )
    drawn = io.BytesIO()
    segno.make(text, micro=False, error="l").save(
        drawn, kind="svg", border=4, dark="#000", light="#fff", omitsize=True
    )
    return drawn.getvalue().decode()
