"""Pictures out of stored HTML into files of their own, so that pages are light and a browser fetches what is seen."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import struct
from pathlib import Path

INLINE = re.compile(r'<img src="data:image/png;base64,([^"]*)" alt="([^"]*)"[^>]*>')
PICTURES = "pictures"  # the folder, beside the pages
LEGIBLE_SHARE = 0.66  # of its width: on a small screen a wider picture scrolls sideways, as the live widgets do it
PNG_SIZE = slice(16, 24)  # width and height, big-endian, in the header of every PNG


def with_files(markup: str, site: Path, smaller: bool = False) -> str:
    """The HTML with each inline PNG written below `site`, and an `img` that names the file.

    smaller: as lossless WebP, a third of the bytes for the same pixels. For the many states of a slider: it takes a
    quarter of a second each.
    Raises ValueError for a picture without a description.
    """
    return INLINE.sub(lambda found: _as_file(found[1], found[2], site, smaller), markup)


def _as_file(data: str, alt: str, site: Path, smaller: bool) -> str:
    if not alt.strip():
        raise ValueError("a picture has no alt text: figures.show asks for one")
    content, ending = base64.b64decode(data), "png"
    width, height = struct.unpack(">II", content[PNG_SIZE])
    if smaller:
        content, ending = _webp(content), "webp"
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
    (site / PICTURES).mkdir(parents=True, exist_ok=True)
    (site / PICTURES / name).write_bytes(content)
    least = round(LEGIBLE_SHARE * width)
    return (
        f'<div class="book-figure"><img src="{PICTURES}/{name}" alt="{alt}" width="{width}" height="{height}" '
        f'style="--legible: {least}px"></div>'
    )


def _webp(png: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "webp", lossless=True, method=2)
    return buffer.getvalue()
