"""`manage.py demo`: try ToolSync on a small Moodle of its own, with a real worker and beat."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from sync.demo.build import PREFIX, build_moodle
from sync.demo.files import sample_files
from sync.models import MoodleSite, RunState, SyncRun
from sync.runs import services

# Set in the process that has the demo's own environment; its folder holds everything that the demo makes.
_MARK = "TOOLSYNC_DEMO"
_KEEPING = {"storereport": True, "filearchive": True, "filefailed": True}
_COUNTED = ("user", "user_enrolments", "role_assignments", "groups_members", "cohort_members")
_PATIENCE_SECONDS = 120


class Command(BaseCommand):
    help = "Builds a small Moodle, carries out sample files through a real worker, and serves the site on 127.0.0.1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="end after the runs")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fresh", action="store_true", help="start anew: forget the demo's Moodle and runs")

    def handle(self, *args: Any, no_serve: bool, port: int, fresh: bool, **options: Any) -> None:
        if _MARK not in os.environ:
            self._become_the_demo(fresh=fresh)
        moodle = Path(settings.VAR_DIR) / "moodle.sqlite3"
        self._prepare(moodle)
        password = self._administrator()
        before = _count_rows(moodle)
        with _processes("worker", "beat"):
            is_well = self._carry_out_samples()
        self._tell_what_changed(before, _count_rows(moodle))
        if not is_well:
            raise CommandError("a run did not end as it should; see above")
        self.stdout.write(f"Everything of the demo lies in {settings.VAR_DIR}")
        if not no_serve:
            self._serve(port, password)

    def _become_the_demo(self, *, fresh: bool) -> None:
        """Start over with an environment of our own, so that a .env never leads the demo to a real Moodle."""
        folder = Path(settings.BASE_DIR) / "var" / "demo"
        if root := os.environ.get("TOOLSYNC_VAR"):
            folder = Path(root) / "demo"
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        ours = (
            "TOOLSYNC_",
            "DATABASE_URL",
            "CELERY_BROKER_URL",
            "EMAIL_URL",
            "ALLOWED_HOSTS",
            "CSRF_TRUSTED",
            "SECRET_KEY",
        )
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environment |= {
            _MARK: "1",
            "TOOLSYNC_ENV_FILE": os.devnull,
            "TOOLSYNC_VAR": str(folder),
            "TOOLSYNC_MOODLE_URL": f"sqlite:///{folder / 'moodle.sqlite3'}",
            "TOOLSYNC_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
        }
        arguments = [argument for argument in sys.argv if argument != "--fresh"]
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, *arguments], environment)  # noqa: S606 - ourselves

    def _prepare(self, moodle: Path) -> None:
        if not moodle.exists():
            self.stdout.write("Building a small Moodle 4.5 with every table …")
            build_moodle(moodle)
        call_command("migrate", verbosity=0, interactive=False)
        if not Path(settings.STATIC_ROOT).is_dir():
            call_command("collectstatic", verbosity=0, interactive=False)

    def _administrator(self) -> str:
        """The login of the demo; the password stays the same as long as the demo's folder does."""
        keeper = Path(settings.VAR_DIR) / "password.txt"
        if not keeper.exists():
            keeper.touch(mode=0o600)
            keeper.write_text(secrets.token_urlsafe(9))
        password = keeper.read_text()
        users = get_user_model()
        admin, _made = users.objects.get_or_create(username="admin", defaults={"is_staff": True, "is_superuser": True})
        admin.set_password(password)
        admin.save()
        return password

    def _carry_out_samples(self) -> bool:
        site = MoodleSite.objects.get(slug="main")
        runs = [self._queue(site, sample) for sample in sample_files()]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for run in runs:
            while not run.is_over and time.monotonic() < deadline:
                time.sleep(0.3)
                run.refresh_from_db()
            self._tell(run)
        return all(run.state in (RunState.COMPLETED, RunState.COMPLETED_WITH_REJECTIONS) for run in runs)

    def _queue(self, site: MoodleSite, sample: Any) -> SyncRun:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / sample.name
            path.write_text(sample.text, newline="")
            file = services.receive_path(site=site, path=path, folder="/demo/")
        options = {**_KEEPING, **sample.options}
        return services.queue_run(site=site, processor=sample.processor, command_file=file, options=options)

    def _tell(self, run: SyncRun) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING(f"{run.file_name}: {run.get_state_display()}"))
        counts = ", ".join(f"{rows} {action}" for action, rows in run.counts.items()) or "no rows"
        self.stdout.write(f"  {counts}")
        for file in run.files.all():
            self.stdout.write(f"  {file.get_kind_display()}: {file.path or file.storage_key}")
        if run.state == RunState.ERRORED:
            self.stdout.write(self.style.ERROR(f"  {run.error_code} {run.error_params}"))

    def _tell_what_changed(self, before: dict[str, int], after: dict[str, int]) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING("The demo Moodle, rows before -> after"))
        for table in _COUNTED:
            self.stdout.write(f"  {table}: {before[table]} -> {after[table]}")

    def _serve(self, port: int, password: str) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.SUCCESS(f"http://127.0.0.1:{port}/   login: admin   password: {password}"))
        self.stdout.write("Ctrl-C ends the demo.")
        self.stdout.flush()
        gunicorn = [
            sys.executable,
            "-m",
            "gunicorn",
            "toolsync_site.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            "4",
        ]
        with _processes("worker", "beat"), _process(gunicorn) as web:
            try:
                web.wait()
            except KeyboardInterrupt:
                self.stdout.write("Stopping …")


@contextmanager
def _processes(*roles: str) -> Iterator[None]:
    """Run a Celery worker and beat beside us."""
    celery = [sys.executable, "-m", "celery", "-A", "toolsync_site"]
    commands = {
        "worker": [*celery, "worker", "--concurrency=1", "--loglevel=WARNING"],
        "beat": [*celery, "beat", "--loglevel=WARNING", f"--pidfile={settings.VAR_DIR / 'beat.pid'}"],
    }
    (Path(settings.VAR_DIR) / "beat.pid").unlink(missing_ok=True)
    with _process(commands[roles[0]]):
        if len(roles) == 1:
            yield
            return
        with _process(commands[roles[1]]):
            yield


@contextmanager
def _process(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child in a group of its own, and end the whole group however we end."""
    with (Path(settings.VAR_DIR) / "processes.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command, cwd=settings.BASE_DIR, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _count_rows(moodle: Path) -> dict[str, int]:
    engine = sa.create_engine(f"sqlite:///{moodle}")
    with engine.connect() as connection:
        counts = {t: connection.execute(sa.text(f"SELECT COUNT(*) FROM {PREFIX}{t}")).scalar_one() for t in _COUNTED}  # noqa: S608
    engine.dispose()
    return counts
