"""Moodle's file pool in a folder, on an SFTP server and in a bucket."""

from __future__ import annotations

import hashlib
import io
import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from sync.errors import MoodleUnavailable
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, data_place
from sync.moodle.files.file_pool import FilePool, file_pool_of
from sync.moodle.integrity.connection_check import check_connection
from tests.moodle_sites import MoodleSite
from tests.pictures import data_folder, icon_of, picture, zip_of
from tests.servers import PASSWORD
from tests.source_servers import USER, SftpServer, s3_server
from tests.support import run_file

CONTENT = b"what somebody keeps"
HASH = hashlib.sha1(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a data folder in a bucket."""
    with s3_server() as url:
        client = boto3.client(
            "s3", endpoint_url=url, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        client.create_bucket(Bucket="moodle")
        client.put_object(Bucket="moodle", Key="data/filedir/warning.txt", Body=b"")
        yield f"s3://key:secret@moodle/data?endpoint_url={url}&region_name=us-east-1"


@pytest.fixture
def sftp_folder(tmp_path: Path) -> Iterator[str]:
    data_folder(tmp_path / "served" / "data")
    server = SftpServer(tmp_path / "served")
    yield f"sftp://{USER}:{PASSWORD}@localhost:{server.port}/data"
    server.stop()


@pytest.fixture(params=["folder", "sftp_folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A data folder as TOOLSYNC_MOODLE_DATAROOT names it."""
    if request.param == "folder":
        return str(data_folder(tmp_path / "moodledata"))
    return str(request.getfixturevalue(request.param))


def pool_at(place: str) -> FilePool:
    pool = file_pool_of(MoodleConnection("sqlite://", **data_place(place)))
    assert pool is not None
    return pool


def test_a_content_is_kept_once_under_its_hash_trashed_and_removed(place: str) -> None:
    pool = pool_at(place)

    assert pool.store(io.BytesIO(CONTENT)) == (HASH, True)
    assert pool.store(io.BytesIO(CONTENT)) == (HASH, False)

    assert pool.size(HASH) == len(CONTENT)
    with pool.open(HASH) as kept:
        assert kept.read() == CONTENT
    assert pool.trash(HASH)
    assert not pool.exists(HASH)
    assert pool.size(HASH) is None
    assert not pool.trash(HASH)
    assert pool.store(io.BytesIO(CONTENT)) == (HASH, True)
    assert pool.trash(HASH)
    assert pool.place_of(HASH) == "trashdir"


def test_pictures_go_wherever_the_data_folder_is(place: str, sqlite_site: MoodleSite) -> None:
    for colour in ((1, 2, 3), (200, 100, 0)):
        old = icon_of(sqlite_site, "ann")
        archive = zip_of({"ann.png": picture(colour=colour)})
        run_file(sqlite_site, "userpictures", archive, filename="p.zip", **data_place(place))
        pool = pool_at(place)
        for row in icon_of(sqlite_site, "ann").values():
            with pool.open(row["contenthash"]) as kept:
                assert hashlib.sha1(kept.read()).hexdigest() == row["contenthash"]
        assert not any(pool.exists(row["contenthash"]) for row in old.values() if row["filesize"])


def test_what_is_opened_is_here_and_a_server_that_is_away_is_moodle_being_away(tmp_path: Path) -> None:
    data_folder(tmp_path / "served" / "data")
    server = SftpServer(tmp_path / "served")
    pool = pool_at(f"sftp://{USER}:{PASSWORD}@localhost:{server.port}/data")
    pool.store(io.BytesIO(CONTENT))
    with pool.open(HASH) as kept:
        server.stop()
        assert kept.read() == CONTENT
    with pytest.raises(MoodleUnavailable), pool.open(HASH):
        pytest.fail("opened all the same")


def test_the_connection_check_looks_into_a_storage(
    sqlite_site: MoodleSite, bucket: str, sftp_folder: str
) -> None:  # fmt: skip
    def found(url: str) -> str:
        return check_connection(MoodleDatabase(MoodleConnection(sqlite_site.url, data_url=url)))[-1].code

    assert found(bucket) == found(sftp_folder) == "check_data_storage"
    assert found(bucket.replace("/data", "/elsewhere")) == "check_data_storage_wrong"
    assert found(sftp_folder.replace("localhost", "localhost.invalid")) == "check_data_storage_failed"
    assert found("gopher://x") == "check_data_storage_failed"


def test_what_somebody_who_died_left_half_written_is_written_again(tmp_path: Path) -> None:
    pool = pool_at(str(data_folder(tmp_path)))
    pool.store(io.BytesIO(CONTENT))
    path = tmp_path / "filedir" / HASH[:2] / HASH[2:4] / HASH
    path.write_bytes(CONTENT[:5])

    assert pool.store(io.BytesIO(CONTENT)) == (HASH, True)

    assert path.read_bytes() == CONTENT


def test_moodle_may_read_and_write_what_we_store(tmp_path: Path) -> None:
    data = data_folder(tmp_path)
    (data / "filedir").chmod(0o2770)
    pool_at(str(data)).store(io.BytesIO(CONTENT))

    path = data / "filedir" / HASH[:2] / HASH[2:4] / HASH
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(path.parents[1].stat().st_mode) == 0o2770


def test_a_storage_that_fails_is_moodle_being_away(tmp_path: Path) -> None:
    data = data_folder(tmp_path)
    (data / "filedir" / HASH[:2]).write_text("not a folder")

    with pytest.raises(MoodleUnavailable) as away:
        pool_at(str(data)).store(io.BytesIO(CONTENT))
    assert away.value.code == "moodle_files_unavailable"


def test_a_data_folder_that_is_not_mounted_gets_no_pool_of_our_own(tmp_path: Path) -> None:
    data = data_folder(tmp_path / "moodledata")
    pool = pool_at(str(data))
    (data / "filedir").rename(tmp_path / "elsewhere")

    with pytest.raises(MoodleUnavailable) as away:
        pool.store(io.BytesIO(CONTENT))

    assert away.value.code == "moodle_files_unavailable"
    assert "filedir" in away.value.params["reason"]
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        ("", {"dataroot": None}),
        ("/var/moodledata", {"dataroot": Path("/var/moodledata")}),
        ("file:///var/moodle%20data", {"dataroot": Path("/var/moodle data")}),
        ("s3://bucket/data", {"data_url": "s3://bucket/data"}),
    ],
)
def test_a_data_folder_is_a_path_or_an_address(place: str, fields: dict[str, object]) -> None:
    assert data_place(place) == fields
