"""Command files, reports and parts of runs on another server, which dies in the middle of a run and comes back."""

from __future__ import annotations

import io
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from sync.commandfiles import storage
from sync.errors import StorageUnavailable
from sync.models import RunFile, RunState
from sync.runs import services
from sync.runs.outcome_store import read_rows
from sync.runs.recorder import Progress
from tests.installation import Installation
from tests.servers import PASSWORD, free_port
from tests.source_servers import USER, SftpServer
from toolsync_site.storages import storage_from_url

ROWS, CHUNK_ROWS = 60, 10
FILE = "username;firstname;lastname;email\n" + "".join(f"kim{n:02};Kim;Nr {n};kim{n}@x.org\n" for n in range(ROWS))
AWAY_SECONDS = 3.0


class FarStorage(ABC):
    """A server that still has everything after it was away. Shape: url: as TOOLSYNC_STORAGE names it"""

    url: str

    def __init__(self) -> None:
        self.port = free_port()
        self.is_there = False
        self.start()

    def start(self) -> None:
        self._server = self._make_server()
        self.is_there = True

    def stop(self) -> None:
        if self.is_there:
            self._server.stop()
        self.is_there = False

    @abstractmethod
    def _make_server(self) -> SftpServer | ThreadedMotoServer: ...


class Bucket(FarStorage):
    def __init__(self, _folder: Path) -> None:
        super().__init__()
        address = f"http://127.0.0.1:{self.port}"
        client = boto3.client(
            "s3", endpoint_url=address, aws_access_key_id="key", aws_secret_access_key="secret", region_name="us-east-1"
        )
        client.create_bucket(Bucket="toolsync")
        self.url = f"s3://key:secret@toolsync/?endpoint_url={address}&region_name=us-east-1"

    def _make_server(self) -> ThreadedMotoServer:
        server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        server.start()
        return server


class SftpFolder(FarStorage):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__()
        self.url = f"sftp://{USER}:{PASSWORD}@localhost:{self.port}/files"

    def _make_server(self) -> SftpServer:
        return SftpServer(self._folder, self.port)


@pytest.fixture(params=[Bucket, SftpFolder])
def far(
    request: pytest.FixtureRequest, installation: Installation, settings: Settings, tmp_path: Path
) -> Iterator[FarStorage]:
    (tmp_path / "served" / "files").mkdir(parents=True)
    server: FarStorage = request.param(tmp_path / "served")
    settings.STORAGES = {**settings.STORAGES, "files": storage_from_url(server.url)}
    settings.TOOLSYNC_CHUNK_ROWS = CHUNK_ROWS
    settings.TOOLSYNC_RETRY_SECONDS = 60
    yield server
    server.stop()


def test_what_is_opened_is_here_and_a_server_that_is_away_is_told(far: FarStorage) -> None:
    storage.save("main/inbox/in.csv", io.BytesIO(FILE.encode()))
    with storage.opened("main/inbox/in.csv") as kept:
        far.stop()
        assert kept.read() == FILE.encode()
    with pytest.raises(StorageUnavailable, match="storage_unavailable"), storage.opened("main/inbox/in.csv"):
        pytest.fail("opened all the same")
    far.start()
    with storage.opened("main/inbox/in.csv") as kept:
        assert kept.read() == FILE.encode()


def test_a_server_that_dies_and_comes_back_costs_a_run_nothing(installation: Installation, far: FarStorage) -> None:
    run = installation.queue("/in.csv", FILE, storereport=1, filearchive=1, filecleanup=1)
    back = threading.Timer(AWAY_SECONDS, far.start)

    def die(progress: Progress) -> None:
        if progress.rows_done == 2 * CHUNK_ROWS:
            far.stop()
            back.start()

    ended = services.execute_run(run.pk, progress=die)
    back.join()

    assert (ended.state, ended.counts) == (RunState.COMPLETED, {"created": ROWS})
    assert [row.line for row in read_rows(ended)] == list(range(2, ROWS + 2))
    assert len(installation.moodle.rows("user", firstname="Kim")) == ROWS
    assert not installation.exists("/in.csv")
    archive = RunFile.objects.get(run=run, kind=RunFile.Kind.ARCHIVE)
    assert installation.read(archive.path) == FILE.encode()
    assert f"{ROWS} created" in installation.own_file(ended, "report")
