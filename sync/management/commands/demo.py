"""`manage.py demo`: try ToolSync on a small Moodle of its own, with a real worker and beat."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from sync.commandfiles.storage import file_storage
from sync.demo import processes
from sync.demo.build import build_moodle, count_rows
from sync.demo.files import SampleFile, sample_files
from sync.demo.story import LATE_FILE_TYPE, make_late_feed
from sync.guard.messages import reason_text, total_texts
from sync.messages import text_of
from sync.models import MoodleSite, RunFile, RunState, SyncRun
from sync.models.run import COMPLETED_STATES, WAITING_STATES
from sync.outcomes.report import count_texts, describe_outcome
from sync.runs import decisions, services
from sync.runs.outcome_search import OutcomeFilter, find_outcomes
from sync.runs.rights import OPERATOR
from sync.values import FAILED_ACTIONS

# Set in the process that has the demo's own environment; its folder holds everything that the demo makes.
_MARK = "TOOLSYNC_DEMO"
# The data folder of its Moodle, in the demo's folder.
_MOODLE_DATA = "moodledata"
# What decides where ToolSync works: none of it may come from the person's own environment.
_TUNED_BY = (
    "TOOLSYNC_", "DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "ALLOWED_HOSTS", "CSRF_TRUSTED",
    "SECRET_KEY", "DEBUG",
)  # fmt: skip
_KEEPING = {"storereport": True, "filearchive": True, "filefailed": True}
_FOLDER = "/demo/"
_REJECTIONS_SHOWN = 3
_PATIENCE_SECONDS = 120


class Command(BaseCommand):
    """manage.py demo. Exit status: 0 when every run ended as it should."""

    help = "Build a small Moodle, carry out sample files through a real worker, and serve the site on this machine."
    # Before it has its own environment it must not look at anything that the person has set up.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-serve", action="store_true", help="end after the runs")
        parser.add_argument("--port", type=int, default=8000, help="of the site (default: %(default)s)")
        parser.add_argument("--fresh", action="store_true", help="start anew: forget the demo's Moodle and its runs")

    def handle(self, *args: Any, no_serve: bool, port: int, fresh: bool, **options: Any) -> None:
        if _MARK not in os.environ:
            _become_the_demo()
        for ending in (signal.SIGTERM, signal.SIGHUP):
            # Children are ended on the way out, so we have to go that way.
            signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
        if not no_serve and not processes.is_port_free(port):
            raise CommandError(f"Port {port} is in use. Choose another: make demo ARGS='--port {port + 1}'")
        folder = Path(settings.VAR_DIR)
        try:
            with ExitStack() as stack:
                stack.enter_context(_only_demo(folder))
                self._show(stack, folder, port=None if no_serve else port, fresh=fresh)
        except KeyboardInterrupt:
            self.stdout.write(
                "\nThe demo has ended. `make demo` takes it up again, `make demo ARGS=--fresh` starts anew."
            )

    def _show(self, stack: ExitStack, folder: Path, *, port: int | None, fresh: bool) -> None:
        moodle, log = folder / "moodle.sqlite3", folder / "processes.log"
        self._prepare(moodle, fresh=fresh)
        password = _administrator(folder / "password.txt")
        before = count_rows(moodle)
        worker = stack.enter_context(processes.worker(settings.BASE_DIR, log))
        stack.enter_context(processes.beat(settings.BASE_DIR, log))
        runs = [self._follow(run, worker, log) for run in _queue_samples()]
        *done, held = runs
        enrolled = next(run for run in done if run.processor == LATE_FILE_TYPE)
        make_late_feed(enrolled.site, enrolled)
        self._tell_what_changed(before, count_rows(moodle))
        is_right = all(run.state in COMPLETED_STATES for run in done)
        if not is_right or held.state != RunState.HELD:
            raise CommandError(f"A run did not end as it should; see above, and {log}.")
        self.stdout.write(f"\nEverything of the demo lies in {folder}; its Moodle is {moodle}.")
        if port is not None:
            web = stack.enter_context(processes.web(settings.BASE_DIR, log, port))
            self._invite(port, password)
            if web.wait():
                raise CommandError(f"The web server has ended; {log} says why.")

    def _prepare(self, moodle: Path, *, fresh: bool) -> None:
        if fresh:
            _empty(moodle.parent)
        # Where Moodle would keep its files.
        (moodle.parent / _MOODLE_DATA / "filedir").mkdir(mode=0o700, parents=True, exist_ok=True)
        if not moodle.exists():
            self._say("Building a small Moodle 4.5 with every table …")
            build_moodle(moodle)
        call_command("migrate", verbosity=0, interactive=False)
        if not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
            call_command("collectstatic", verbosity=0, interactive=False)
        self._say("Carrying out the sample files through a worker …")

    def _follow(self, run: SyncRun, worker: subprocess.Popen[bytes], log: Path) -> SyncRun:
        """Wait until a run is over, and tell what came of it."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not run.is_over and not run.waits_for_person:
            if worker.poll() is not None:
                raise CommandError(f"The worker has ended; {log} says why.")
            if time.monotonic() > deadline:
                raise CommandError(f"Run {run.pk} is still {run.state_label}; {log} may say why.")
            time.sleep(0.2)
            run.refresh_from_db()
        self._tell(run)
        return run

    def _tell(self, run: SyncRun) -> None:
        self.stdout.write("")
        self._say(self.style.MIGRATE_HEADING(f"{run.file_path} ({run.processor}): {run.state_label}"))
        counts = count_texts(run.counts, run.partial_counts)
        if counts or not run.waits_for_person:
            self.stdout.write(f"  {', '.join(counts) or 'no rows'}")
        if run.waits_for_person and run.plan is not None:
            self.stdout.write(f"  Nothing was written. What would happen: {', '.join(total_texts(run.plan.totals))}.")
            for reason in run.held_notes:
                self.stdout.write(self.style.WARNING(f"  {reason_text(reason)}"))
            self.stdout.write(
                f"  Look at it on its page and approve or decline it there, or: manage.py decide {run.pk} --decline"
            )
        if run.error_code:
            self.stdout.write(self.style.ERROR(f"  {text_of(run.error_code, run.error_params)}"))
        for action in FAILED_ACTIONS:
            failed = find_outcomes(run, OutcomeFilter(action=action), per_page=_REJECTIONS_SHOWN)
            for outcome in failed.outcomes:
                self.stdout.write(f"  line {outcome.line}: {describe_outcome(outcome)}")
            if more := run.counts.get(action, 0) - len(failed.outcomes):
                self.stdout.write(f"  … and {more} more")
        for kept in run.files.all():
            place = file_storage().path(kept.storage_key)
            self.stdout.write(f"  {f'{RunFile.Kind(kept.kind).label}:':9} {place}")

    def _tell_what_changed(self, before: dict[str, int], after: dict[str, int]) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING("The demo Moodle, before -> after"))
        for label, count in before.items():
            change = after[label] - count
            self.stdout.write(
                f"  {label:22} {count:>6} -> {after[label]:<6} {f'{change:+}' if change else 'unchanged'}"
            )

    def _invite(self, port: int, password: str) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.SUCCESS(f"  Open   http://{processes.HOST}:{port}/"))
        self.stdout.write(self.style.SUCCESS(f"  Login  admin   Password  {password}"))
        self._say("  Ctrl-C ends the demo.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _become_the_demo() -> None:
    """Start over with an environment of our own, so that a .env never leads the demo to a real Moodle."""
    folder = Path(os.environ.get("TOOLSYNC_VAR") or Path(settings.BASE_DIR) / "var").absolute() / "demo"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_TUNED_BY)}
    environment |= {
        _MARK: "1",
        "TOOLSYNC_ENV_FILE": os.devnull,
        "TOOLSYNC_VAR": str(folder),
        "TOOLSYNC_MOODLE_URL": f"sqlite:///{folder / 'moodle.sqlite3'}",
        "TOOLSYNC_MOODLE_DATAROOT": str(folder / _MOODLE_DATA),
        # Messages go through the demo's folder; the host name only keeps Celery from remarking that there is none.
        "CELERY_BROKER_URL": "filesystem://localhost",
        "TOOLSYNC_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
    }
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - ourselves


def _only_demo(folder: Path) -> Any:
    """Hold the demo's folder. Raises: CommandError if another demo works in it."""
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise CommandError("A demo is running already. End it with Ctrl-C where it was started.") from None
    return lock


def _empty(folder: Path) -> None:
    """Delete everything that earlier demos have left, but for the key, which this process uses, and the lock."""
    for path in folder.iterdir():
        if path.name not in {"lock", "secret_key"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("uploads", "mail", "files", "broker/messages", "broker/control"):
        (folder / name).mkdir(mode=0o700, parents=True)


def _administrator(keeper: Path) -> str:
    """Make the demo's login; return its password, which stays the same as long as the demo's folder does."""
    if not keeper.exists():
        keeper.touch(mode=0o600)
        keeper.write_text(secrets.token_urlsafe(9))
    password = keeper.read_text()
    admin, _made = get_user_model().objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    if not admin.check_password(password):
        admin.set_password(password)
        admin.save()
    return password


def _queue_samples() -> list[SyncRun]:
    site = MoodleSite.objects.get(slug="main")
    for waiting in SyncRun.objects.filter(site=site, state__in=WAITING_STATES):
        # It needs its file as long as it waits, and the same one comes again.
        decisions.decline_run(waiting, OPERATOR, reason="the demo was started again")
    return [_queue(site, sample) for sample in sample_files()]


def _queue(site: MoodleSite, sample: SampleFile) -> SyncRun:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / sample.name
        path.write_bytes(sample.content)
        file = services.receive_path(site=site, path=path, folder=_FOLDER)
    options = {**_KEEPING, **sample.options}
    origin = SyncRun.Origin.SHELL
    return services.queue_run(
        site=site, processor=sample.processor, command_file=file, options=options, origin=origin
    )  # fmt: skip
