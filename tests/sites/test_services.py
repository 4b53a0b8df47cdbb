"""Sites that are set up, changed and taken out of use."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from django.utils import timezone
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.audit.services import HIDDEN
from sync.errors import MoodleNotAllowed, OptionError, RunNotClaimable, SiteRefused, SiteUnusable
from sync.models import AuditKind, GraceEntry, MoodleSite, Schedule, SyncRun
from sync.runs.connections import connection_of, moodle_at, moodle_of
from sync.runs.lease import claim_run
from sync.runs.rights import OPERATOR
from sync.runs.services import queue_run
from sync.runs.site_reach import reachable
from sync.schedules.services import ScheduleChoice, save_schedule, start_due_schedules
from sync.sites.connection_choice import ConnectionChoice, choice_of, connection_from
from sync.sites.services import add_site, change_site, put_in_use, take_out_of_use
from tests.moodle_sites import MoodleSite as Moodle

SERVER = ConnectionChoice("mariadb", "db.example.org", database="moodle", username="feed", password="S3cret/Pass:1@")


@pytest.fixture
def copies(sqlite_site: Moodle, tmp_path: Path, settings: Settings) -> list[Path]:
    """Two databases of Moodles of their own, in a folder from which pages may choose."""
    settings.TOOLSYNC_SITE_FOLDERS = [str(tmp_path / "moodles")]
    (tmp_path / "moodles").mkdir()
    made = []
    for name in ("a", "b"):
        path = tmp_path / "moodles" / f"{name}.sqlite3"
        shutil.copy(str(sa.make_url(sqlite_site.url).database), path)
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM mdl_config WHERE name = 'siteidentifier'"))
            connection.execute(
                sa.text("INSERT INTO mdl_config (name, value) VALUES ('siteidentifier', :name)"), {"name": f"id-{name}"}
            )
        engine.dispose()
        made.append(path)
    return made


def of_file(path: Path, peppers: tuple[str, ...] = ()) -> ConnectionChoice:
    return ConnectionChoice("sqlite", database=str(path), peppers=peppers)


def made(path: Path, slug: str = "school") -> MoodleSite:
    return add_site(slug, slug.title(), of_file(path), by=OPERATOR)[0]


def refusal_of(error: pytest.ExceptionInfo[SiteRefused]) -> str:
    return error.value.code


@pytest.mark.django_db
def test_a_site_is_looked_at_before_it_is_kept(copies: list[Path], tmp_path: Path) -> None:
    with pytest.raises(SiteUnusable) as refused:
        add_site("school", "School", replace(of_file(copies[0]), prefix="x_"), by=OPERATOR)
    assert "check_prefix_wrong" in {finding.code for finding in refused.value.findings}
    assert not MoodleSite.objects.filter(slug="school").exists()

    site = made(copies[0])
    with moodle_of(site).session() as session:
        assert session.config["siteidentifier"] == "id-a"
    # All off, as those of `main` are.
    assert Schedule.objects.filter(site=site).exists()
    assert not Schedule.objects.filter(site=site, enabled=True).exists()


@pytest.mark.django_db
def test_two_sites_never_feed_one_database(copies: list[Path]) -> None:
    made(copies[0])
    with pytest.raises(SiteRefused) as refused:
        made(copies[0], "again")
    assert refusal_of(refused) == "site_same_database"

    shutil.copy(copies[0], copies[1])
    with pytest.raises(SiteRefused) as refused:
        made(copies[1], "copy")
    assert refusal_of(refused) == "site_same_moodle"
    assert add_site("copy", "Copy", of_file(copies[1]), by=OPERATOR, is_copy=True)[0].slug == "copy"


@pytest.mark.django_db
def test_a_site_does_not_become_another_moodle(copies: list[Path]) -> None:
    site = made(copies[0])
    with pytest.raises(SiteRefused) as refused:
        change_site(site, "School", of_file(copies[1]), by=OPERATOR)
    assert refusal_of(refused) == "site_is_another_moodle"
    moved = copies[0].with_name("moved.sqlite3")
    copies[0].rename(moved)
    change_site(site, "School", of_file(moved), by=OPERATOR)
    assert choice_of(MoodleSite.objects.get(pk=site.pk)).database == str(moved)


@pytest.mark.parametrize("slug", ["main", "new", "", "Has Capitals", "a/b", "taken"])
@pytest.mark.django_db
def test_a_short_name_is_one_for_addresses(slug: str, copies: list[Path]) -> None:
    MoodleSite.objects.create(slug="taken", name="Taken")
    with pytest.raises(SiteRefused) as refused:
        add_site(slug, "X", of_file(copies[0]), by=OPERATOR)
    assert refusal_of(refused) == "site_name_taken"


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [("127.0.0.1", False), ("10.1.2.3", False), ("169.254.169.254", False), ("::1", False), ("", False), ("/run/mysqld", False),
     ("10.1.2.4", True), ("10.1.2.5", False), ("8.8.8.8", True)],
)  # fmt: skip
def test_pages_lead_to_no_server_that_the_operator_has_not_named(
    host: str, is_allowed: bool, settings: Settings
) -> None:
    settings.TOOLSYNC_SITE_HOSTS = ["10.1.2.4:3306", "10.1.2.5:3307"]
    connection = connection_from(replace(SERVER, host=host), None)
    if is_allowed:
        assert moodle_at(connection).settings.url == connection.url
        return
    with pytest.raises(MoodleNotAllowed) as refused:
        moodle_at(connection)
    assert refused.value.code == "moodle_server_private"
    assert "S3cret" not in f"{refused.value!r}{connection!r}{SERVER!r}"


def test_the_server_of_the_main_site_need_not_be_named(settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_URL = "mysql://me:pw@10.9.9.9/moodle"
    assert moodle_at(connection_from(replace(SERVER, host="10.9.9.9"), None)).settings.url
    with pytest.raises(MoodleNotAllowed):
        moodle_at(connection_from(replace(SERVER, host="10.9.9.9", port=22), None))


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what a name server answers a moment later."""
    answers = iter([[(2, 1, 6, "", ("93.184.216.34", 3306))], [(2, 1, 6, "", ("127.0.0.1", 3306))]])
    monkeypatch.setattr("sync.runs.site_reach.socket.getaddrinfo", lambda *_args, **_more: next(answers))
    url = sa.make_url(reachable(connection_from(SERVER, None).url))
    assert (url.host, url.password) == ("93.184.216.34", SERVER.password)
    with pytest.raises(MoodleNotAllowed):
        reachable(connection_from(replace(SERVER, kind="postgresql"), None).url)


def test_a_data_folder_lies_where_pages_may_choose(tmp_path: Path, settings: Settings) -> None:
    settings.TOOLSYNC_SITE_FOLDERS = [str(tmp_path / "data")]
    (tmp_path / "data" / "school").mkdir(parents=True)
    (tmp_path / "data" / "out").symlink_to(tmp_path)
    inside = str(tmp_path / "data" / "school")
    assert connection_from(replace(SERVER, data_folder=inside), None).dataroot == Path(inside)
    for outside in (
        "/etc",
        str(tmp_path / "data" / ".." / "other"),
        str(tmp_path / "data" / "out"),
        "data",
        "s3://k:s@b/x",
    ):
        with pytest.raises(MoodleNotAllowed):
            connection_from(replace(SERVER, data_folder=outside), None)


def test_a_command_line_is_one_of_the_operators(settings: Settings) -> None:
    settings.TOOLSYNC_SITE_COMMANDS = {"school": ["php", "/srv/school/admin/cli"]}
    assert connection_from(replace(SERVER, command="school"), None).command_line == ("php", "/srv/school/admin/cli")
    with pytest.raises(SiteRefused):
        connection_from(replace(SERVER, command="rm"), None)


def test_a_kept_password_goes_to_no_other_server() -> None:
    kept = connection_from(replace(SERVER, peppers=("p1",)), None)
    silent = replace(SERVER, password="")
    again = connection_from(silent, kept)
    assert (sa.make_url(again.url).password, again.peppers) == (SERVER.password, ("p1",))
    for other in ({"host": "evil.example.org"}, {"port": 3307}, {"username": "root"}, {"kind": "postgresql"}):
        sent = connection_from(replace(silent, **other), kept)
        assert (sa.make_url(sent.url).password, sent.peppers) == (None, ())


@pytest.mark.django_db
def test_no_secret_is_in_the_audit_or_in_what_is_stored(copies: list[Path]) -> None:
    site = add_site("school", "School", of_file(copies[0], peppers=("Pepper-77",)), by=OPERATOR)[0]
    change_site(site, "Our school", of_file(copies[0], peppers=("Pepper-78",)), by=OPERATOR)
    said = [line.entry for line in find_entries(site, AuditQuery(kind=AuditKind.SITE)).lines if line.entry]
    assert [entry.code for entry in said] == ["audit_site_updated", "audit_site_created"]
    assert {change.field: (change.old, change.new) for change in said[0].changes} == {
        "name": ("School", "Our school"), "peppers": (HIDDEN, HIDDEN),
    }  # fmt: skip
    assert "Pepper" not in repr(said)
    stored = bytes(MoodleSite.objects.get(pk=site.pk).connection)
    assert b"Pepper" not in stored
    assert connection_of(MoodleSite.objects.get(pk=site.pk)).peppers == ("Pepper-78",)


@pytest.mark.django_db
def test_nothing_starts_on_a_site_that_is_out_of_use(copies: list[Path]) -> None:
    site = made(copies[0])
    waiting = queue_run(site=site, processor="users", command_file=None)
    paused = queue_run(site=site, processor="users", command_file=None)
    SyncRun.objects.filter(pk=paused.pk).update(state="paused")
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2), enabled=True), owner=OPERATOR)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=timezone.now() - timedelta(hours=1))
    GraceEntry.objects.create(
        site=site, table="user", rowid=7, name="u7", run=waiting, line=2, day=timezone.now().date() - timedelta(days=1)
    )

    assert take_out_of_use(site, by=OPERATOR) == 1
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"
    with pytest.raises(OptionError) as refused:
        queue_run(site=site, processor="users", command_file=None)
    assert refused.value.code == "site_out_of_use"
    SyncRun.objects.filter(pk=paused.pk).update(state="queued")
    with pytest.raises(RunNotClaimable):
        claim_run(paused.pk, "t")
    start_due_schedules()
    assert not schedule.sequence_runs.exists()

    put_in_use(site, by=OPERATOR)
    # What was due meanwhile is not made up for at once.
    schedule.refresh_from_db()
    assert schedule.next_at is not None
    assert schedule.next_at > timezone.now()
    assert GraceEntry.objects.get().state == GraceEntry.State.HELD
    assert claim_run(paused.pk, "t").pk == paused.pk


@pytest.mark.django_db
def test_a_site_with_a_run_at_work_stays_in_use(copies: list[Path]) -> None:
    site = made(copies[0])
    run = queue_run(site=site, processor="users", command_file=None)
    claim_run(run.pk, "t")
    with pytest.raises(SiteRefused) as refused:
        take_out_of_use(site, by=OPERATOR)
    assert refusal_of(refused) == "site_busy"
    with pytest.raises(SiteRefused) as refused:
        take_out_of_use(MoodleSite.objects.get(slug="main"), by=OPERATOR)
    assert refusal_of(refused) == "site_main_stays"
