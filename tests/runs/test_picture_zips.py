"""Zips of pictures in the file area. Source: userpictures.md section 7, P-7 to P-9, and generic.md section 7."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser
from pytest_django import Settings

from sync.commandfiles import storage
from sync.models import RunFile, RunState
from sync.moodle.users.image_resizer import resize
from sync.processors.registry import REGISTRY
from sync.runs import services
from sync.runs.selectors import files_of_file_type, preselected_file
from sync.runs.services import save_settings
from sync.schedules.fetch_files import fetch_files
from tests.installation import Installation, at
from tests.pictures import blobs, data_folder, icon_of, picture, zip_of

ANN = zip_of({"ann.png": picture()})
KEEP_NOTHING = {"filearchive": 0, "storereport": 0, "filefailed": 0}
KEEP_ALL = {"filearchive": 1, "storereport": 1, "filefailed": 1}


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_MOODLE_DATAROOT = str(data_folder(tmp_path / "moodledata"))
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    return tmp_path / "moodledata"


def test_p7_a_zip_goes_after_it_was_archived(installation: Installation, data: Path) -> None:
    with at("2025-03-04 09:12:05"):
        run = installation.carry_out("/userpictures_a.zip", ANN, processor="userpictures", storereport=0)

    assert (run.state, run.counts) == (RunState.COMPLETED, {"updated": 1})
    assert installation.area() == {"/archives/20250304-091205_userpictures_a.zip"}
    assert installation.read("/archives/20250304-091205_userpictures_a.zip") == ANN
    assert blobs(data).keys() == {row["contenthash"] for row in icon_of(installation.moodle, "ann").values()}


def test_a_zip_stays_when_it_is_to_stay(installation: Installation, data: Path) -> None:
    installation.carry_out("/userpictures_a.zip", ANN, processor="userpictures", forcedeletion=0, **KEEP_NOTHING)
    assert installation.area() == {"/userpictures_a.zip"}


def test_p8_what_is_no_zip_is_kept_and_the_next_one_is_carried_out(installation: Installation, data: Path) -> None:
    bad = installation.carry_out("/userpictures_bad.zip", b"no zip", processor="userpictures", **KEEP_ALL)
    good = installation.carry_out("/userpictures_good.zip", ANN, processor="userpictures", **KEEP_NOTHING)

    assert (bad.state, bad.error_code) == (RunState.FAILED, "zip_broken")
    assert good.state == RunState.COMPLETED
    assert installation.area() == {"/userpictures_bad.zip"}


def test_p9_zips_are_told_by_how_their_names_begin_in_any_folder(installation: Installation, data: Path) -> None:
    for path in (
        "/pics.zip", "/sub/userpictures_2.zip", "/userpictures_1.ZIP", "/userpictures_a.zip.bak",
        "/userpictures_1_tryback_20250304-091205.zip", "/xuserpictures_.zip",
    ):  # fmt: skip
        installation.put(path, ANN)
    site, wanted = installation.site, ["/userpictures_1.ZIP", "/sub/userpictures_2.zip"]

    assert [file.path for file in files_of_file_type(site, "userpictures")] == wanted
    assert preselected_file(site, "userpictures", AnonymousUser()) == files_of_file_type(site, "userpictures")[0]
    # All of them at once, a run each.
    assert [file.path for file in fetch_files(site, "userpictures")] == wanted

    save_settings(site=site, processor="userpictures", values={"fileprefix": "pics"})
    assert [file.path for file in files_of_file_type(site, "userpictures")] == ["/pics.zip"]
    save_settings(site=site, processor="userpictures", values={"fileprefix": ".*"})
    assert files_of_file_type(site, "userpictures") == []

    installation.carry_out("/gone.zip", ANN, processor="userpictures", storereport=0)
    assert any(path.startswith("/archives/") for path in installation.area())
    save_settings(site=site, processor="userpictures", values={"fileprefix": ""})
    every = ["/pics.zip", "/userpictures_1.ZIP", "/xuserpictures_.zip", "/sub/userpictures_2.zip"]
    assert [file.path for file in files_of_file_type(site, "userpictures")] == every


def test_options_are_known_by_their_old_names() -> None:
    old = {"fileprefix": "faces_", "userfield": "email", "overwrite": "0", "forcedeletion": "0"}
    options = REGISTRY["userpictures"].options
    assert options.resolve({}, {f"userpictures_{name}": value for name, value in old.items()}) == options.resolve(
        {}, old
    )


def test_the_drop_folder_brings_zips(installation: Installation, data: Path, settings: Settings) -> None:
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    folder = Path(settings.TOOLSYNC_DROP_FOLDER)
    folder.mkdir()
    (folder / "userpictures_d.zip").write_bytes(ANN)

    (file,) = fetch_files(installation.site, "userpictures")

    assert (file.path, file.processor) == ("/userpictures_d.zip", "userpictures")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "processor"),
    [(ANN, "userpictures"), (zip_of({"a.txt": b"x"}), ""),
     (zip_of({"[Content_Types].xml": b"", "xl/media/ann.png": b""}), "")],
)  # fmt: skip
def test_the_type_of_a_zip_is_told_by_the_pictures_in_it(
    installation: Installation, content: bytes, processor: str
) -> None:
    assert installation.put("/any.zip", content).processor == processor


def test_report_and_tryback_lie_beside_the_zip(installation: Installation, data: Path) -> None:
    content = zip_of({"ann.png": picture(), "class/zoe.png": picture()})
    with at("2025-03-04 09:12:05"):
        run = installation.carry_out("/in/userpictures_a.zip", content, processor="userpictures", **KEEP_ALL)

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert installation.area() == {
        "/archives/20250304-091205_userpictures_a.zip",
        "/reports/20250304-091205_report_userpictures_a.txt",
        "/in/userpictures_a_tryback_20250304-091205.zip",
    }
    with zipfile.ZipFile(BytesIO(installation.read("/in/userpictures_a_tryback_20250304-091205.zip"))) as tryback:
        assert tryback.namelist() == ["class/zoe.png", "_reasons.csv"]
    report = installation.read("/reports/20250304-091205_report_userpictures_a.txt").decode()
    assert "ann.png: picture set for “ann”" in report
    assert "1 updated" in report
    assert "1 rejected" in report


def test_a_simulation_leaves_nothing_but_its_report(installation: Installation, data: Path) -> None:
    before = installation.moodle.snapshot()
    run = installation.carry_out("/userpictures_a.zip", ANN, processor="userpictures", simulate=True, **KEEP_ALL)

    assert run.counts == {"updated": 1}
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert blobs(data) == {}
    assert installation.exists("/userpictures_a.zip")


def test_a_run_that_could_not_store_a_picture_leaves_whole_chunks_and_goes_on(
    installation: Installation, data: Path
) -> None:
    moodle, names = installation.moodle, [f"face{number:03}" for number in range(102)]
    for name in names:
        moodle.insert(
            "user", auth="manual", confirmed=1, mnethostid=1, username=name, password="", firstname="F", lastname="L",
            email=f"{name}@x.org",
        )  # fmt: skip
    pictures = {f"{name}.png": picture(colour=(number, 0, 0)) for number, name in enumerate(names)}
    # The last square of the last picture finds its place taken.
    last = hashlib.sha1(resize(pictures["face101.png"]).contents[-1]).hexdigest()
    blocked = data / "filedir" / last[:2] / last[2:4]
    blocked.parent.mkdir()
    blocked.write_text("not a folder")

    run = installation.carry_out("/userpictures_a.zip", zip_of(pictures), processor="userpictures", **KEEP_NOTHING)

    assert (run.state, run.error_code) == (RunState.ERRORED, "moodle_files_unavailable")
    assert [bool(moodle.one("user", username=name)["picture"]) for name in names] == [True] * 100 + [False] * 2
    blocked.unlink()
    in_use = {row["contenthash"] for row in moodle.rows("files", filearea="icon")}
    assert blobs(data).keys() == in_use

    services.resume_run(run)
    run = services.execute_run(run.pk)
    assert run.counts == {"updated": 102}
    assert all(moodle.one("user", username=name)["picture"] for name in names)
    assert installation.area() == set()


def test_a_run_ends_when_the_data_folder_stays_away_and_the_zip_can_be_sent_again(
    installation: Installation, data: Path
) -> None:
    (data / "filedir").rename(data / "away")
    (data / "filedir").write_text("not a folder")
    run = installation.carry_out("/userpictures_a.zip", ANN, processor="userpictures")
    assert (run.state, run.error_code) == (RunState.ERRORED, "moodle_files_unavailable")
    assert installation.moodle.rows("files", filearea="icon") == []

    (data / "filedir").unlink()
    (data / "away").rename(data / "filedir")
    again = installation.carry_out("/userpictures_a.zip", processor="userpictures")
    assert again.counts == {"updated": 1}
    with storage.opened(RunFile.objects.get(run=again, kind="report").storage_key) as report:
        assert "1 updated" in report.read().decode()
