"""Drawing pictures on all cores, where it really runs: in a child of a Celery worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import billiard

from sync.moodle.users.image_resizer import ImageResizerPool, resize
from tests.pictures import picture

# More than are resized without a pool.
COUNT = 40


def _resize_in_a_child(answer: Path) -> None:
    taken = 0
    most_ahead = 0

    def originals() -> Iterator[bytes]:
        nonlocal taken
        for number in range(COUNT):
            taken += 1
            yield b"no picture" if number == 30 else picture(colour=(number, 0, 0))

    pool = ImageResizerPool(2)
    codes = []
    try:
        for number, resized in enumerate(pool.resize_many(originals()), start=1):
            most_ahead = max(most_ahead, taken - number)
            codes.append(resized.code or str(resized == resize(picture(colour=(number - 1, 0, 0)))))
    finally:
        pool.close()
    answer.write_text(f"{most_ahead} {','.join(codes)}")


def test_a_daemonic_child_of_celery_resizes_in_order_and_holds_few_pictures(tmp_path: Path) -> None:
    answer = tmp_path / "answer.txt"
    # As Celery's prefork pool starts its children.
    child = billiard.Process(target=_resize_in_a_child, args=(answer,))
    child.daemon = True
    child.start()
    child.join(60)

    assert child.exitcode == 0
    most_ahead, codes = answer.read_text().split(" ")
    assert codes.split(",") == ["picture_unreadable" if number == 30 else "True" for number in range(COUNT)]
    assert int(most_ahead) <= 4
