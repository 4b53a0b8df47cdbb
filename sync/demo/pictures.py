"""A zip of pictures for the demo Moodle: drawn here, so that nobody's face is needed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from PIL import Image, ImageDraw

from sync.demo.people import Person

_WIDTH, _HEIGHT = 300, 360
# The zip has to be the same one at every call.
_SEPTEMBER = (2024, 9, 1, 8, 0, 0)
_KINDS = ("jpg", "png", "gif")
_FORMAT_BY_KIND = {"jpg": "JPEG", "png": "PNG", "gif": "GIF"}


def zip_of_faces(people: Sequence[Person], stranger: str) -> bytes:
    """Return a zip with a face for each of the people, and one that is named after nobody."""
    names = [*(person.username for person in people), stranger]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for place, name in enumerate(names):
            kind = _KINDS[place % len(_KINDS)]
            entry = zipfile.ZipInfo(f"portraits/{name}.{kind}", _SEPTEMBER)
            archive.writestr(entry, _face(place, len(names), kind))
    return out.getvalue()


def _face(place: int, count: int, kind: str) -> bytes:
    """Draw head and shoulders in a colour of their own."""
    colour, middle = f"hsl({360 * place // count}, 55%, 45%)", _WIDTH // 2
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "#f2efe8")
    draw = ImageDraw.Draw(image)
    draw.ellipse((middle - 70, 70, middle + 70, 210), fill=colour)
    draw.ellipse((middle - 120, 230, middle + 120, 470), fill=colour)
    out = io.BytesIO()
    image.save(out, _FORMAT_BY_KIND[kind])
    return out.getvalue()
