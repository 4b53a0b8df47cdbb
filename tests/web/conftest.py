"""People with and without permissions, files and runs for the pages to show."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.models import ChunkIndex, CommandFile, MoodleSite, RunChunk, RunFile, SyncRun, WorkbookReading
from sync.models.run import OVER_STATES
from sync.outcomes.outcome_codec import PartHeader, count_codes, encode_outcomes
from sync.outcomes.outcome_index import facts_of, pack_facts, pack_names
from sync.runs import services
from sync.runs.bundle_uploads import read_workbook
from sync.values import Action, Change, Note, Outcome

USERS_CSV = b"username;firstname;lastname;password\nann;Ann;Lee;Secret-1\nbob;Bob;Kay;Secret-2\n"

OUTCOMES = (
    Outcome(2, Action.CREATED, "account_created", {}, "ann"),
    Outcome(
        3, Action.UPDATED, "account_updated", {}, "bob",
        (Change("department", "Old <b>house</b>", "New house"),), (Note("password_changed", {}),),
    ),
    Outcome(4, Action.REJECTED, "value_too_long", {"length": 300, "limit": 100, "column": "lastname"}),
    Outcome(5, Action.REJECTED, "email_taken", {"email": "x@example.org", "owner": "ann", "column": "email"}, "cid"),
)  # fmt: skip

MakeFile = Callable[..., CommandFile]
MakeRun = Callable[..., SyncRun]


@pytest.fixture(autouse=True)
def own_storage(settings: Settings, tmp_path: Path) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": files}


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


@pytest.fixture
def client_with(db: None) -> Callable[..., Client]:
    """Return the browser of somebody new who has just these permissions."""

    def client_with(*codenames: str) -> Client:
        user = User.objects.create_user(f"with-{'-'.join(codenames) or 'nothing'}")
        permissions = Permission.objects.filter(codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        return client

    return client_with


@pytest.fixture
def users_client(client_with: Callable[..., Client]) -> Client:
    """Somebody who may run the file type `users`, and nothing else."""
    return client_with("run_users")


@pytest.fixture
def files_client(client_with: Callable[..., Client]) -> Client:
    """Somebody who may manage files, and run no file type."""
    return client_with("manage_files")


@pytest.fixture
def full_client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_files", "run_users")


@pytest.fixture
def make_file(site: MoodleSite) -> MakeFile:
    def make_file(
        name: str = "userimport.csv", content: bytes = USERS_CSV, folder: str = "/", *, by: Client | None = None
    ) -> CommandFile:
        """Put a file into the area, in place of one that is there. Shape: by: whose browser it came from"""
        upload, user = SimpleUploadedFile(name, content), by and person_of(by)
        return services.receive_upload(site=site, uploaded_file=upload, folder=folder, user=user, replace=True)

    return make_file


@pytest.fixture
def make_run(site: MoodleSite, make_file: MakeFile) -> MakeRun:
    """Make a run as the workers would have left it, with its outcomes in the storage."""

    def make_run(
        state: str = "completed", *, outcomes: Sequence[Outcome] = OUTCOMES, processor: str = "users", **values: Any
    ) -> SyncRun:
        file = CommandFile.objects.filter(site=site).first() or make_file()
        if state in OVER_STATES:
            values.setdefault("finished_at", timezone.now())
        run = SyncRun.objects.create(
            site=site, processor=processor, state=state, command_file=file, file_path=file.path, file_size=file.size,
            file_sha256=file.sha256, input_key=storage.key_of_path(site.slug, file.path), **values,
        )  # fmt: skip
        if outcomes:
            _store(run, outcomes)
        return run

    return make_run


def read_workbooks() -> int:
    """Do what the workers do: read the workbooks that pages have asked for; return how many sheets."""
    read = 0
    while waiting := WorkbookReading.objects.filter(state=WorkbookReading.State.WAITING).order_by("pk").first():
        read_workbook(waiting.pk)
        read += 1
    return read


def person_of(client: Client) -> User:
    """Return who is logged in."""
    return User.objects.get(pk=client.session["_auth_user_id"])


def keep_run_file(run: SyncRun, kind: str, content: bytes = b"kept", path: str = "") -> RunFile:
    """Keep a file of a run, in the file area when it has a path there."""
    name = path.rpartition("/")[2] or f"{kind}.csv"
    key = storage.key_of_path(run.site.slug, path) if path else f"{storage.run_folder(run.site.slug, run.pk)}/{name}"
    storage.save(key, io.BytesIO(content))
    return RunFile.objects.create(run=run, kind=kind, name=name, path=path, storage_key=key, size=len(content))


def _store(run: SyncRun, outcomes: Sequence[Outcome]) -> None:
    counts = dict(Counter(outcome.action.value for outcome in outcomes))
    codes, last_line = count_codes(outcomes), outcomes[-1].line
    key = storage.outcomes_key(run.site.slug, run.pk, last_line)
    header = PartHeader(2, last_line, counts, codes, run.file_size, has_journal=False)
    storage.save(key, io.BytesIO(encode_outcomes(header, outcomes)))
    chunk = RunChunk.objects.create(
        run=run, first_line=2, last_line=last_line, counts=counts, codes=codes, outcomes_key=key
    )
    ChunkIndex.objects.create(chunk=chunk, names=pack_names(outcomes), facts=pack_facts(facts_of(outcomes)))
    SyncRun.objects.filter(pk=run.pk).update(counts=counts, rows_done=len(outcomes), last_line=last_line)
    run.refresh_from_db()
