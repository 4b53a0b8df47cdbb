"""One picture as somebody sends it -> the three squares that Moodle shows.

This module is imported by the processes of the pool: it imports nothing of Django.
Source: spec userpictures.md section 5; Moodle's process_new_icon()
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import NamedTuple

from PIL import Image, ImageOps

from sync.errors import ToolSyncError
from sync.moodle.db.process_pool import start_processes

# Name of the file in Moodle -> side of the square.
SIDES = {"f1": 100, "f2": 35, "f3": 512}
MAX_PIXELS = 50_000_000

_FORMATS = ("JPEG", "PNG", "GIF")
_JPEG_QUALITY = 90
# A JPEG may be decoded at a half, a quarter or an eighth of its size; this leaves enough for the largest square.
_DRAFT_SIDE = 2 * max(SIDES.values())
# So many pictures of each process are in memory at a time.
_AHEAD = 2
# So many are drawn where we are before processes are started for more: their start takes longer.
_WORTH_A_POOL = 16

# Pillow's own limit says nothing about the size; ours is looked at before a pixel is read.
Image.MAX_IMAGE_PIXELS = None


class ResizeResult(NamedTuple):
    """What came of one picture.

    Shape: extension: "jpg" or "png"; contents: in the order of SIDES; code, params: why it can't be drawn, "" when it can
    """

    extension: str = ""
    contents: tuple[bytes, ...] = ()
    code: str = ""
    params: dict[str, int] = {}


def draw(original: bytes) -> ResizeResult:
    """Draw the three squares of a picture. JPEG stays JPEG; PNG and GIF become PNG, transparent where they were.

    Mirrors: process_new_icon(); here the orientation that a camera has noted is applied, and many pixels are refused
    """
    try:
        with Image.open(io.BytesIO(original), formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                params = {"width": width, "height": height, "limit": MAX_PIXELS // 1_000_000}
                return ResizeResult(code="picture_too_many_pixels", params=params)
            is_jpeg = picture.format in ("JPEG", "MPO")
            if min(width, height) > _DRAFT_SIDE:
                picture.draft(
                    "RGB", (_DRAFT_SIDE * width // min(width, height), _DRAFT_SIDE * height // min(width, height))
                )
            square = _square(picture, is_jpeg=is_jpeg)
    # A damaged picture makes Pillow raise almost anything: OSError, SyntaxError, ValueError, struct.error, KeyError …
    except Exception:  # noqa: BLE001
        return ResizeResult(code="picture_unreadable")
    contents = tuple(_encoded(_resized(square, side), is_jpeg=is_jpeg) for side in SIDES.values())
    return ResizeResult("jpg" if is_jpeg else "png", contents)


class ImageResizerPool:
    """Draws many pictures on all cores; the processes start at the first need and live for one run."""

    def __init__(self, processes: int = 0) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._executor: ProcessPoolExecutor | None = None

    def draw_many(self, originals: Iterable[bytes]) -> Iterator[ResizeResult]:
        """Draw pictures in their order; of the originals only a few are in memory at a time.

        Raises: ToolSyncError if a process was killed
        """
        originals = iter(originals)
        if self._executor is None:
            yield from map(draw, islice(originals, _WORTH_A_POOL))
        waiting: deque[Future[ResizeResult]] = deque()
        try:
            for original in originals:
                self._executor = self._executor or start_processes(self._processes)
                waiting.append(self._executor.submit(draw, original))
                if len(waiting) >= _AHEAD * self._processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            self.close()
            raise ToolSyncError("a process that draws pictures was killed") from error

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None


def _square(picture: Image.Image, *, is_jpeg: bool) -> Image.Image:
    """Give the middle of the picture, upright; its side is even, as Moodle's is."""
    upright = _with_plain_colours(ImageOps.exif_transpose(picture), is_jpeg=is_jpeg)
    half = max(1, min(upright.size) // 2)
    left, top = upright.width // 2 - half, upright.height // 2 - half
    return upright.crop((max(0, left), max(0, top), left + 2 * half, top + 2 * half))


def _with_plain_colours(picture: Image.Image, *, is_jpeg: bool) -> Image.Image:
    if picture.mode.startswith("I"):
        # 16 bits of grey; Pillow would cut them off instead of scaling them.
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    has_transparency = not is_jpeg and picture.has_transparency_data
    return picture.convert("RGBA" if has_transparency else "RGB")


def _resized(square: Image.Image, side: int) -> Image.Image:
    # As sharp as bicubic where pixels are put together, in half the time.
    method = Image.Resampling.HAMMING if square.width > side else Image.Resampling.BICUBIC
    return square.resize((side, side), method, reducing_gap=2.0)


def _encoded(square: Image.Image, *, is_jpeg: bool) -> bytes:
    out = io.BytesIO()
    if is_jpeg:
        square.save(out, "JPEG", quality=_JPEG_QUALITY)
    else:
        square.save(out, "PNG")
    return out.getvalue()
