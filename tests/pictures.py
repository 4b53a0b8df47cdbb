"""Pictures and zips of pictures for tests, and what is in Moodle's pool afterwards."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from tests.moodle_sites import MoodleSite

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)


def picture(
    width: int = 60, height: int = 40, kind: str = "PNG", colour: Any = RED, mode: str = "RGB", **save: Any
) -> bytes:
    """Make a picture of one colour."""
    return encoded(Image.new(mode, (width, height), colour), kind, **save)


def encoded(image: Image.Image, kind: str, **save: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


def zip_of(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def data_folder(folder: Path) -> Path:
    """Make a data folder of Moodle."""
    (folder / "filedir").mkdir(parents=True)
    return folder


def blobs(data: Path, folder: str = "filedir") -> dict[str, bytes]:
    """Return what is in the pool. Shape: contenthash -> content; each lies under its own hash"""
    found = {path.name: path.read_bytes() for path in (data / folder).rglob("*") if path.is_file()}
    for path in (data / folder).rglob("*"):
        if path.is_file():
            digest = hashlib.sha1(path.read_bytes()).hexdigest()
            assert path == data / folder / digest[:2] / digest[2:4] / digest
    return found


def icon_of(site: MoodleSite, username: str) -> dict[str, dict[str, Any]]:
    """Return the picture rows of a user, in their order. Shape: file name -> row"""
    contextid = site.one("context", contextlevel=30, instanceid=userid_of(site, username))["id"]
    return {row["filename"]: row for row in site.rows("files", contextid=contextid, component="user", filearea="icon")}


def userid_of(site: MoodleSite, username: str) -> int:
    return int(site.one("user", username=username)["id"])


def picture_of(site: MoodleSite, username: str) -> int:
    return int(site.one("user", username=username)["picture"])


def pixel_of(image: Image.Image, place: tuple[int, int]) -> tuple[int, ...]:
    pixel = image.getpixel(place)
    assert isinstance(pixel, tuple)
    return pixel


def shown(site: MoodleSite, data: Path, username: str, name: str) -> Image.Image:
    """Open a square of a user as Moodle would serve it."""
    return Image.open(io.BytesIO(blobs(data)[icon_of(site, username)[name]["contenthash"]]))
