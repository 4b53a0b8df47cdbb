"""Small pictures that ask for much memory or time."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.moodle.users.image_resizer import MAX_SCANS, ResizeResult, resize
from tests.pictures import picture

SIDE = 4000
MEMORY = 190 << 10
PROGRAM = """
import sys
from pathlib import Path
from sync.moodle.users.image_resizer import resize
resized = resize(Path(sys.argv[1]).read_bytes())
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(resized.code or resized.extension, peak)
"""
# Made by the test: every process that collects tests would make all of them.
Content = Callable[[], bytes]
EMPTY_PNG = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int, lines: bytes, further: bytes = b"") -> bytes:
    """Return a grey PNG. Shape: lines: packed; further: chunks"""
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0))
    return EMPTY_PNG + head + further + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_scans(jpeg: bytes, count: int) -> bytes:
    """Repeat the last scan of a progressive JPEG."""
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * count + jpeg[-2:]


@pytest.mark.parametrize(
    "content",
    [
        lambda: picture(SIDE, SIDE, "PNG", (1, 2, 3, 4), "RGBA"),
        lambda: picture(SIDE, SIDE, "PNG", 40_000, "I;16"),
        lambda: picture(SIDE, SIDE, "GIF", 3, "P", transparency=3),
        lambda: picture(SIDE, SIDE, "JPEG", progressive=True, subsampling=0),
        lambda: picture(1000, 16_000, "JPEG"),
        lambda: picture(7000, 7000, "JPEG"),
    ],
    ids=["transparent", "16 bits", "palette", "progressive", "narrow", "large"],
)
def test_the_largest_pictures_take_little_memory(tmp_path: Path, content: Content) -> None:
    path = tmp_path / "picture"
    path.write_bytes(content())
    command = [sys.executable, "-c", PROGRAM, str(path)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    result, peak = done.stdout.split()
    assert result in ("png", "jpg")
    assert int(peak) < MEMORY


@pytest.mark.parametrize(
    ("content", "limit"),
    [
        (lambda: picture(SIDE + 1, SIDE, "PNG", 1, "L"), 16),
        (lambda: picture(7000, 7000, "GIF", 1, "P"), 16),
        (lambda: picture(5000, 5000, "JPEG", 1, "L", progressive=True), 16),
        (lambda: picture(1000, 40_000, "JPEG", 1, "L"), 16),
        (lambda: picture(7100, 7100, "JPEG", 1, "L"), 50),
    ],
    ids=["png", "gif", "progressive", "narrow", "jpeg"],
)
def test_more_pixels_are_refused(content: Content, limit: int) -> None:
    refused = resize(content())
    assert (refused.code, refused.params["limit"]) == ("picture_too_many_pixels", limit)


@pytest.mark.parametrize(
    "content",
    [
        lambda: png(1, 15_000_000, zlib.compress(bytes(30_000_000), 1)),
        lambda: png(70_000, 1, zlib.compress(bytes(70_001), 1)),
        lambda: png(9, 9, zlib.compress(bytes(90)), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 1))),
        lambda: with_scans(picture(2000, 2000, "JPEG", progressive=True), 20_000),
        lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        lambda: picture(kind="WEBP"),
        lambda: picture(kind="TIFF"),
        lambda: picture()[:40],
    ],
    ids=["high", "wide", "text", "scans", "svg", "webp", "tiff", "truncated"],
)
def test_what_is_no_picture_of_a_person_is_refused_at_once(content: Content) -> None:
    made = content()
    started = time.process_time()
    assert resize(made) == ResizeResult(code="picture_unreadable")
    assert time.process_time() - started < 1


def test_a_jpeg_of_some_more_scans_is_drawn() -> None:
    jpeg = picture(60, 60, "JPEG", progressive=True)
    assert resize(with_scans(jpeg, MAX_SCANS - 20)).extension == "jpg"


def test_only_the_first_of_many_frames_is_read() -> None:
    first = picture(kind="GIF", mode="L", colour=9, save_all=True, append_images=[])
    many = first[:-1] + first[first.index(b",") : -1] * 5000 + b";"
    assert resize(many) == resize(first)
