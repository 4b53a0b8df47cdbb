"""One picture as somebody sends it -> the three squares that Moodle shows.

This module is imported by the processes of the pool: it imports nothing of Django.
Source: spec userpictures.md section 5; Moodle's process_new_icon()
"""

from __future__ import annotations

import io
import os
import re
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
# Of a picture that has to be unpacked as a whole: four bytes each, twice at a time.
MAX_WHOLE_PIXELS = 16_000_000
# The longest side of a JPEG. Each line of a picture takes memory, however short it is.
MAX_SIDE = 65_535
# Programs write a progressive JPEG in a dozen scans. Each may have 60 bytes, and takes time for all of the picture.
MAX_SCANS = 50

_FORMATS = ("JPEG", "PNG", "GIF")
_JPEG_QUALITY = 90
# A JPEG may be decoded at a half, a quarter or an eighth of its size; this leaves enough for the largest square.
_DRAFT_SIDE = 2 * max(SIDES.values())
# So many pictures of each process are in memory at a time.
_AHEAD = 2
# So many are resized where we are before processes are started for more: their start takes longer.
_WORTH_A_POOL = 16

# The next marker of a JPEG: within a scan, FF stands before 00 or the number of a restart, or before another FF.
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff])")
_STANDALONE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA

# Pillow's own limit says nothing about the size; ours is looked at before a pixel is read.
Image.MAX_IMAGE_PIXELS = None


class ResizeResult(NamedTuple):
    """What came of one picture.

    Shape: extension: "jpg" or "png"; contents: in the order of SIDES; code, params: why it can't be read, "" when it can
    """

    extension: str = ""
    contents: tuple[bytes, ...] = ()
    code: str = ""
    params: dict[str, int] = {}


def resize(original: bytes) -> ResizeResult:
    """Draw the three squares of a picture. JPEG stays JPEG; PNG and GIF become PNG, transparent where they were.

    Mirrors: process_new_icon(); here the orientation that a camera has noted is applied, and many pixels are refused
    """
    try:
        found = _middle(original)
        if isinstance(found, ResizeResult):
            return found
        square, is_jpeg = found
        del found
        ImageOps.exif_transpose(square, in_place=True)
        square = _with_plain_colours(square, is_jpeg=is_jpeg)
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

    def resize_many(self, originals: Iterable[bytes]) -> Iterator[ResizeResult]:
        """Draw pictures in their order; of the originals only a few are in memory at a time.

        Raises: ToolSyncError if a process was killed
        """
        originals = iter(originals)
        if self._executor is None:
            yield from map(resize, islice(originals, _WORTH_A_POOL))
        waiting: deque[Future[ResizeResult]] = deque()
        try:
            for original in originals:
                self._executor = self._executor or start_processes(self._processes)
                waiting.append(self._executor.submit(resize, original))
                if len(waiting) >= _AHEAD * self._processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            self.close()
            raise ToolSyncError("a process that resizes pictures was killed") from error

    def close(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None


def _middle(original: bytes) -> tuple[Image.Image, bool] | ResizeResult:
    """Return the square in the middle of a picture, its side even as Moodle's is, and whether it is a JPEG.

    Nothing else of the picture is in memory any more when this returns.
    """
    with Image.open(io.BytesIO(original), formats=_FORMATS) as picture:
        width, height = size = picture.size
        is_jpeg = picture.format in ("JPEG", "MPO")
        scans = _count_scans(original) if is_jpeg else 0
        if max(size) > MAX_SIDE or scans > MAX_SCANS:
            return ResizeResult(code="picture_unreadable")
        if width * height > MAX_PIXELS:
            return _too_many_pixels(size, MAX_PIXELS)
        if min(size) > _DRAFT_SIDE:
            picture.draft("RGB", (_DRAFT_SIDE * width // min(size), _DRAFT_SIDE * height // min(size)))
        # A JPEG of several scans is unpacked as a whole before it is made smaller.
        whole = width * height if scans > 1 else picture.width * picture.height
        if whole > MAX_WHOLE_PIXELS:
            return _too_many_pixels(size, MAX_WHOLE_PIXELS)
        half = max(1, min(picture.size) // 2)
        left, top = max(0, picture.width // 2 - half), max(0, picture.height // 2 - half)
        return picture.crop((left, top, left + 2 * half, top + 2 * half)), is_jpeg


def _too_many_pixels(size: tuple[int, int], limit: int) -> ResizeResult:
    params = {"width": size[0], "height": size[1], "limit": limit // 1_000_000}
    return ResizeResult(code="picture_too_many_pixels", params=params)


def _count_scans(jpeg: bytes) -> int:
    """Return how many scans a JPEG has, as far as they are of interest."""
    count = position = 0
    while (found := _JPEG_MARKER.search(jpeg, position)) and count <= MAX_SCANS:
        position, marker = found.end(), found[1][0]
        if marker == _END_OF_IMAGE:
            break
        if marker not in _STANDALONE_MARKERS:
            count += marker == _START_OF_SCAN
            position += int.from_bytes(jpeg[position : position + 2], "big")
    return count


def _with_plain_colours(picture: Image.Image, *, is_jpeg: bool) -> Image.Image:
    if picture.mode.startswith("I"):
        # 16 bits of grey; Pillow would cut them off instead of scaling them.
        picture = picture.point(lambda value: value * (1 / 256)).convert("L")
    has_transparency = not is_jpeg and picture.has_transparency_data
    mode = "RGBA" if has_transparency else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)


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
