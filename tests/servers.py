"""Private servers for tests: each runs from a temporary folder on a free port and goes away with the tests.

Nothing of the machine's own servers is touched. A missing program skips the test; where the servers are part of the set-up
(TOOLSYNC_REQUIRE_SERVERS, CI) it fails.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import wait_until

PASSWORD = "tests-only"


def find_program(name: str, *more: str) -> str:
    """Return the path of a server program, also where Debian keeps it off the PATH."""
    for candidate in (name, *more):
        found = shutil.which(candidate) or next(
            (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{candidate}"))), None
        )
        if found is None and Path(f"/usr/sbin/{candidate}").exists():
            found = f"/usr/sbin/{candidate}"
        if found is not None:
            return found
    reason = f"{name} is not installed; make test installs it"
    if os.environ.get("TOOLSYNC_REQUIRE_SERVERS") or os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server(ABC):
    """One private server process."""

    def __init__(self, folder: Path, *extra: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.extra = extra
        folder.mkdir(parents=True)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers; a second start after `kill` or `stop` goes on with the same data."""
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.process_options()
            )
        process = self._process
        wait_until(lambda: self.answers() or process.poll() is not None, 60, self._words)
        if process.poll() is not None:
            raise RuntimeError(self._words())

    def _words(self) -> str:
        return f"{self.command()[0]} did not start: {(self.folder / 'log.txt').read_text()[-2000:]}"

    stop_signal = signal.SIGTERM

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @abstractmethod
    def command(self) -> Sequence[str]: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def process_options(self) -> dict[str, Any]:
        return {}


class MariaDB(Server):
    """Shape: durable: a commit survives a power cut, as on a real site; tests do without"""

    def __init__(self, folder: Path, *extra: str, durable: bool = False) -> None:
        super().__init__(folder, *extra)
        self.durability = (
            ["--innodb-doublewrite=1", "--innodb-flush-log-at-trx-commit=1"]
            if durable
            else ["--innodb-doublewrite=0", "--innodb-flush-log-at-trx-commit=2"]
        )
        self.program = find_program("mariadbd", "mysqld")
        self.data = folder / "data"
        # In the common /tmp, servers that are made at the same time get in each other's way.
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        user = ["--user=root"] if os.geteuid() == 0 else []
        self.user = user
        subprocess.run(
            [
                find_program("mariadb-install-db"), "--no-defaults", *user, f"--datadir={self.data}",
                f"--tmpdir={self.temporary}", "--skip-test-db", "--auth-root-authentication-method=normal",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
        self.start()
        self.sql(f"CREATE USER tests@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO tests@'127.0.0.1'")

    @property
    def socket(self) -> str:
        return str(self.folder / "s")

    def command(self) -> Sequence[str]:
        return [
            self.program, "--no-defaults", *self.user, f"--datadir={self.data}", f"--tmpdir={self.temporary}",
            f"--socket={self.socket}", f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={self.folder / 'pid'}",
            "--innodb-buffer-pool-size=384M", "--skip-log-bin", *self.durability, *self.extra,
        ]  # fmt: skip

    def answers(self) -> bool:
        client = [
            find_program("mariadb", "mysql"),
            "--no-defaults",
            "-uroot",
            f"--socket={self.socket}",
            "-e",
            "SELECT 1",
        ]
        return subprocess.run(client, capture_output=True, check=False).returncode == 0

    def sql(self, text: str, database: str = "") -> None:
        client = [find_program("mariadb", "mysql"), "--no-defaults", "-uroot", f"--socket={self.socket}", database]
        subprocess.run([part for part in client if part], input=text.encode(), check=True, capture_output=True)

    def create_database(self, name: str) -> str:
        """Make an empty database and give its SQLAlchemy URL."""
        self.sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
        return f"mysql://tests:{PASSWORD}@127.0.0.1:{self.port}/{name}"


class PostgreSQL(Server):
    """Shape: durable: as of MariaDB"""

    # "Fast" shutdown: SIGTERM would wait until the last client is gone.
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, *extra: str, durable: bool = False) -> None:
        super().__init__(folder, *extra)
        self.durability = [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        self.program = find_program("postgres")
        self.data = folder / "data"
        self.owner: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            account = pwd.getpwnam("postgres" if _has_account("postgres") else "nobody")
            self.owner = {"user": account.pw_uid, "group": account.pw_gid}
            os.chown(folder, account.pw_uid, account.pw_gid)
            _open_way_to(folder)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        subprocess.run(
            [
                find_program("initdb"), "-D", str(self.data), "-U", "tests", "-A", "scram-sha-256", f"--pwfile={secret}",
                "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            ],
            check=True, capture_output=True, cwd=folder, **self.owner,
        )  # fmt: skip
        self.start()

    def command(self) -> Sequence[str]:
        return [
            self.program, "-D", str(self.data), "-p", str(self.port), "-k", str(self.folder), "-h", "127.0.0.1",
            "-c", "max_locks_per_transaction=256", *self.durability, *self.extra,
        ]  # fmt: skip

    def process_options(self) -> dict[str, Any]:
        return {**self.owner, "cwd": self.folder}

    def answers(self) -> bool:
        return self._psql("SELECT 1", check=False).returncode == 0

    def sql(self, text: str, database: str = "postgres") -> None:
        self._psql(text, database)

    def create_database(self, name: str, template: str = "template0") -> str:
        """Make a database and give its SQLAlchemy URL."""
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return f"postgresql://tests:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def _psql(self, text: str, database: str = "postgres", *, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [
                find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                "-U", "tests", database,
            ],
            input=text.encode(), env={**os.environ, "PGPASSWORD": PASSWORD}, capture_output=True, check=check,
        )  # fmt: skip


class Redis(Server):
    def __init__(self, folder: Path, *extra: str) -> None:
        super().__init__(folder, *extra)
        self.program = find_program("redis-server")
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        return [
            self.program,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--save",
            "",
            *self.extra,
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _has_account(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _open_way_to(folder: Path) -> None:
    """Let another user pass through our own temporary folders."""
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent.stat().st_mode & 0o011 != 0o011 and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o011)
