"""How each part is found to be: real servers and folders, well and dead."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.health import checks
from sync.health.records import Level, Part, fails, ok, save_finding
from sync.messages import text_of
from sync.models import HealthRecord, MoodleSite, RunState, SyncRun
from tests.moodle_sites import MoodleSite as Moodle
from tests.notification_servers import MailServer
from tests.servers import free_port

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield server
    server.stop()


def test_what_is_well_is_found_to_be(mail_server: MailServer, sqlite_site: Moodle, settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    checks.check_health(at_once=True)
    found = {record.part: (record.level, record.code) for record in HealthRecord.objects.all()}
    well = set(Part) - {Part.WORKER, Part.BEAT, Part.CACHES, Part.DISK, Part.MOODLE}
    assert {part: found[part][0] for part in well} == dict.fromkeys(well, Level.OK)
    # Nobody has named its data folder.
    assert found[Part.MOODLE] == (Level.WARNING, "check_dataroot_unset")
    assert found[Part.CACHES] == (Level.WARNING, "health_caches_by_hand")
    assert all(text_of(record.code, record.params) for record in HealthRecord.objects.all())
    assert mail_server.received == []


def test_a_mail_server_that_is_away_is_an_error_and_none_at_all_a_warning(
    mail_server: MailServer, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    assert (checks.check_mail().level, checks.check_mail().code) == (Level.ERROR, "health_mail_away")
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.FILE_UPLOAD_TEMP_DIR
    assert checks.check_mail().code == "health_mail_unset"


def test_a_broker_that_is_away_is_an_error_that_names_no_password() -> None:
    found = checks.check_broker(f"redis://:secret-word@127.0.0.1:{free_port()}/0")
    assert (found.level, found.code) == (Level.ERROR, "health_broker_away")
    assert "secret-word" not in str(found.params)


def test_a_storage_that_takes_nothing_is_an_error(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    options = {"location": str(tmp_path / "file")}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "files": backend}
    assert (checks.check_storage().level, checks.check_storage().code) == (Level.ERROR, "health_storage_fails")


def test_a_storage_that_is_gone_is_an_error_of_the_disk_and_stops_no_other_look(
    settings: Settings, tmp_path: Path
) -> None:
    options = {"location": str(tmp_path / "gone")}
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "files": backend}
    assert (checks.check_disk().level, checks.check_disk().code) == (Level.ERROR, "health_storage_fails")


@pytest.mark.parametrize(
    ("free", "code"), [(50, "health_disk_free"), (5, "health_disk_short"), (0, "health_disk_full")]
)
def test_the_disk_with_least_space_is_told_of(free: int, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(total=100 << 30, free=free << 30))
    found = checks.check_disk()
    assert found.code == code
    assert f"{float(free)} GB" in text_of(found.code, found.params)


def test_runs_that_wait_are_slow_only_when_none_moves(db: None) -> None:
    site = MoodleSite.objects.get()
    assert checks.check_queue().code == "health_queue_empty"
    run = SyncRun.objects.create(site=site, processor="users", file_path="/a.csv", input_key="a")
    assert checks.check_queue().code == "health_queue_moves"
    SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=20))
    assert (checks.check_queue().level, checks.check_queue().code) == (Level.WARNING, "health_queue_stands")
    SyncRun.objects.create(site=site, processor="users", file_path="/b.csv", input_key="b", state=RunState.RUNNING)
    assert checks.check_queue().code == "health_queue_moves"


def test_a_moodle_that_is_away_is_an_error(settings: Settings, tmp_path: Path) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/none.sqlite3"
    found = checks.check_moodle(MoodleSite.objects.get())
    assert found.level == Level.ERROR
    assert "no such file" in text_of(found.code, found.params)


def test_since_stays_until_the_level_changes() -> None:
    save_finding(Part.MAIL, ok("health_mail_answers", server="a"))
    first = HealthRecord.objects.get()
    save_finding(Part.MAIL, ok("health_mail_answers", server="b"))
    second = HealthRecord.objects.get()
    assert (second.since, second.params) == (first.since, {"server": "b"})
    assert second.seen_at > first.seen_at
    save_finding(Part.MAIL, fails("health_mail_away", server="b", reason="no"))
    third = HealthRecord.objects.get()
    assert third.since == third.seen_at > second.since


def test_a_mail_server_that_is_well_is_called_every_ten_minutes_only(
    mail_server: MailServer, settings: Settings
) -> None:
    checks.check_health()
    first = HealthRecord.objects.get(part=Part.MAIL)
    checks.check_health()
    assert HealthRecord.objects.get(part=Part.MAIL).seen_at == first.seen_at
    HealthRecord.objects.filter(part=Part.MAIL).update(seen_at=timezone.now() - timedelta(minutes=11))
    settings.EMAIL_PORT = free_port()
    checks.check_health()
    again = HealthRecord.objects.get(part=Part.MAIL)
    assert again.level == Level.ERROR
    checks.check_health()
    assert HealthRecord.objects.get(part=Part.MAIL).seen_at > again.seen_at
