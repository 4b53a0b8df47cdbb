"""Pictures of users: at least 100 of 600x600 a second on two cores, in memory that doesn't grow with the zip."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from PIL import Image, ImageFilter

from tests.bench.figures import Line
from tests.bench.kit import ToolSync
from tests.moodle_sites import MoodleSite
from tests.pictures import data_folder, encoded

ROWS = 5_000
SIDE = 600


def test_pictures_are_set_and_found_unchanged(
    site_of: Callable[[str, str], MoodleSite], figures: list[Line], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOOLSYNC_MOODLE_DATAROOT", str(data_folder(tmp_path / "moodledata")))
    site = site_of("mariadb", "4.5")
    toolsync = ToolSync(site, tmp_path)
    _add_people(site)
    base = _noisy_face()
    few, many = (_write_zip(tmp_path / f"userpictures_{count}.zip", base, count) for count in (ROWS // 10, ROWS))

    first = toolsync.run("userpictures", few)
    again = toolsync.run("userpictures", few)
    whole = toolsync.run("userpictures", many)

    site.restore_template()
    figures += [
        Line("pictures set, a tenth", "mariadb", [first]),
        Line("pictures unchanged, drawn and compared", "mariadb", [again]),
        Line("pictures set", "mariadb", [whole], most={"peak MiB": 256}, least={"rows/s": 100}),
    ]
    assert first.counts == {"updated": ROWS // 10}
    assert again.counts == {"unchanged": ROWS // 10}
    assert whole.counts == {"updated": ROWS - ROWS // 10, "unchanged": ROWS // 10}
    # What one picture more costs is not kept.
    assert whole.peak_mib < first.peak_mib + 40


def _add_people(site: MoodleSite) -> None:
    names = ("auth", "confirmed", "mnethostid", "username", "password", "firstname", "lastname", "email")
    target = sa.table(f"{site.prefix}user", *(sa.column(name) for name in names))
    rows = [
        dict(zip(names, ("manual", 1, 1, f"face{n}", "", "F", f"Face{n}", f"face{n}@x.org"), strict=True))
        for n in range(ROWS)
    ]
    with site.engine.begin() as connection:
        connection.execute(sa.insert(target), rows)


def _noisy_face() -> Image.Image:
    """Make a picture as a camera does: soft, with some noise."""
    noise = Image.merge("RGB", [Image.effect_noise((SIDE, SIDE), 60) for _channel in range(3)])
    return Image.blend(noise.filter(ImageFilter.GaussianBlur(12)), noise, 0.12)


def _write_zip(path: Path, base: Image.Image, count: int) -> Path:
    """Write so many pictures, no two alike; a shorter zip holds the same as the beginning of a longer one."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            face = base.copy()
            face.paste((number % 256, number // 256, 90), (150, 150, 450, 450))
            archive.writestr(f"face{number}.jpg", encoded(face, "JPEG", quality=85))
    return path
