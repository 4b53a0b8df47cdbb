"""What the plugin tool_sync has left in a Moodle is shown, set and never set twice."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.models import ArmedFile, AuditRecord, CommandFile, ProcessorSettings, Retention, Schedule, Source
from sync.runs.services import save_settings
from sync.runs.source_settings import address_of
from tests.installation import Installation

SETTINGS = {
    "version": "2022112801", "encoding": "ISO-8859-1", "csvseparator": ";", "storereport": "1", "filearchive": "0",
    "filecleanup": "1", "enrolcleanup": "1", "cohorts_syncdelete": "1", "groups_autogrouping": "1",
    "users_primaryidentity": "username", "users_createpasswords": "1", "courses_filedeleteidentifier": "0",
    "enrols_defaultcmd": "add", "userpictures_userfield": "1", "userpictures_overwrite": "0",
    "users_filelocation": "users/load_*.csv", "enrols_filelocation": "sftp://sis:S3cret-77@files.example.org/out/enrols.csv",
    "cohorts_filelocation": "cohorts.csv", "courses_fileuploadlocation": "ftp://files.example.org/x*/y.csv",
    "fileareacleanupdelay": "30", "lastrunning_users": "users/load_2.csv", "lastrunning_enrol": "",
    "somesecret": "S3cret-88",
}  # fmt: skip
FILES = {
    "/users/load_1.csv": b"username;firstname;lastname;email\nann;Ann;Lee;ann@x.org\n",
    "/archives/20250101-0200_userimport.csv": b"username;firstname;lastname\nold;Old;One\n",
    "/reports/20250101-0200_report_userimport.csv": b"all is well\n",
}
TASKS = {"usersync_task": ("15", "3", 0), "enrolsync_task": ("30", "*/6", 1), "fileareacleanup_task": ("0", "4", 0)}


@pytest.fixture
def plugin(installation: Installation, settings: Settings, tmp_path: Path) -> Installation:
    """A Moodle that the plugin has fed."""
    settings.TOOLSYNC_MOODLE_DATAROOT = str(tmp_path / "moodledata")
    return with_plugin(installation, tmp_path / "moodledata")


def with_plugin(installation: Installation, data: Path) -> Installation:
    moodle = installation.moodle
    # Some of the real sites had the plugin.
    moodle.execute("DELETE FROM {config_plugins} WHERE plugin = 'tool_sync'")
    for table in ("files", "task_scheduled"):
        moodle.execute(f"DELETE FROM {{{table}}} WHERE component = 'tool_sync'")
    for name, value in SETTINGS.items():
        moodle.insert("config_plugins", plugin="tool_sync", name=name, value=value)
    for path, content in FILES.items():
        folder, _slash, name = path.rpartition("/")
        contenthash = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        moodle.insert(
            "files", contenthash=contenthash, pathnamehash=hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest(),
            contextid=1, component="tool_sync", filearea="syncfiles", itemid=0, filepath=f"{folder}/", filename=name,
            filesize=len(content), status=0, timecreated=1, timemodified=1, sortorder=0, referencefileid=None,
        )  # fmt: skip
        stored = data / "filedir" / contenthash[:2] / contenthash[2:4] / contenthash
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_bytes(content)
    for name, (minute, hour, disabled) in TASKS.items():
        moodle.insert(
            "task_scheduled", component="tool_sync", classname=f"\\tool_sync\\task\\{name}", minute=minute, hour=hour,
            day="*", month="*", dayofweek="*", disabled=disabled, lastruntime=0, nextruntime=0, faildelay=0, customised=0,
        )  # fmt: skip
    return installation


def takeover(*arguments: str) -> dict[str, Any]:
    """Return what the command prints for scripts."""
    out = io.StringIO()
    call_command("takeover", "--json", *arguments, stdout=out)
    assert "S3cret" not in out.getvalue()
    return dict(json.loads(out.getvalue().strip().splitlines()[-1]))


def state_of(said: dict[str, Any], name: str, subject: str = "") -> set[tuple[str, str]]:
    """Return states and values of what is said of a name, for one file type if it is given."""
    return {
        (i["state"], i["value"])
        for i in said["items"]
        if i["name"] == name and (not subject or i["subject"] == subject)
    }


def stored(processor: str) -> dict[str, Any]:
    kept = ProcessorSettings.objects.filter(processor=processor).first()
    return kept.values if kept else {}


def test_it_shows_first_and_changes_nothing(plugin: Installation) -> None:
    before = plugin.moodle.snapshot(["config_plugins", "files", "task_scheduled"])
    said = takeover()
    assert said["applied"] is False
    assert state_of(said, "users_primaryidentity", "users") == {("set", "username")}
    assert state_of(said, "usersync_task") == {("set", "15 3 * * *")}
    assert not ProcessorSettings.objects.exists()
    assert not Source.objects.exists()
    assert not CommandFile.objects.exists()
    assert not AuditRecord.objects.exists()
    # Moodle is only read, also when all is set.
    takeover("--apply")
    assert plugin.moodle.snapshot(["config_plugins", "files", "task_scheduled"]) == before


def test_settings_become_options_by_the_names_that_file_types_know(plugin: Installation) -> None:
    said = takeover("--apply")
    assert stored("users") == {
        "encoding": "ISO-8859-1", "filearchive": False, "filecleanup": True, "skipinvalidcells": True,
        "primaryidentity": "username", "createpasswords": True,
    }  # fmt: skip
    assert stored("courses_delete")["courseidentifier"] == "idnumber"
    assert "courseidentifier" not in stored("courses")
    assert stored("userpictures")["overwrite"] is False
    assert "userfield" not in stored("userpictures")
    # The separator that the plugin writes by itself is found out here.
    assert {state for state, _value in state_of(said, "csvseparator")} == {"left"}


def test_what_did_nothing_in_the_plugin_is_never_switched_on(plugin: Installation) -> None:
    said = takeover("--apply")
    for name in ("cohorts_syncdelete", "enrolcleanup", "groups_autogrouping"):
        assert state_of(said, name) == {("left", "1")}
    everything = {name for kept in ProcessorSettings.objects.all() for name in kept.values}
    assert everything.isdisjoint(
        {"syncdelete", "autogrouping", "purgeemptygroups", "cohorts_syncdelete", "enrolcleanup", "groups_autogrouping"}
    )


def test_places_of_files_become_sources_and_secrets_stay_sealed(plugin: Installation) -> None:
    said = takeover("--apply")
    users, enrolments = Source.objects.get(processor="users"), Source.objects.get(processor="enrolments")
    assert (users.kind, users.location) == (Source.Kind.AREA, "users/load_*.csv")
    assert (enrolments.kind, enrolments.location) == (Source.Kind.ADDRESS, "sftp://files.example.org/out/enrols.csv")
    assert (address_of(enrolments).username, address_of(enrolments).password) == ("sis", "S3cret-77")
    assert b"S3cret" not in bytes(enrolments.secret)
    assert state_of(said, "cohorts_filelocation") == {("same", "cohorts.csv")}
    assert state_of(said, "courses_fileuploadlocation") == {("left", "")}


def test_files_are_brought_and_no_schedule_takes_them(plugin: Installation) -> None:
    takeover("--apply")
    paths = {file.path: plugin.read(file.path) for file in CommandFile.objects.all()}
    assert paths == {
        "/users/load_1.csv": FILES["/users/load_1.csv"],
        "/tool_sync/archives/20250101-0200_userimport.csv": FILES["/archives/20250101-0200_userimport.csv"],
        "/tool_sync/reports/20250101-0200_report_userimport.csv": FILES["/reports/20250101-0200_report_userimport.csv"],
    }
    assert not ArmedFile.objects.exists()
    assert CommandFile.objects.get(name="load_1.csv").processor == "users"


def test_schedules_have_the_times_of_the_tasks_and_stay_off_unless_asked(plugin: Installation) -> None:
    takeover("--apply")
    users = Schedule.objects.get(processors=["users"])
    assert (users.crontab, users.enabled) == ("15 3 * * *", False)
    said = takeover("--apply", "--feeds-on")
    users.refresh_from_db()
    assert (users.crontab, users.enabled) == ("15 3 * * *", True)
    assert not Schedule.objects.get(processors=["enrolments"]).enabled
    assert {state for state, _value in state_of(said, "fileareacleanup_task")} == {"left"}


def test_what_the_plugin_has_no_setting_for_stays_in_a_schedule_as_it_is_set(plugin: Installation) -> None:
    Schedule.objects.filter(processors=["users"]).update(together=True, stop_on_failure=False, after_freeze=False)
    takeover("--apply")
    users = Schedule.objects.get(processors=["users"])
    assert users.crontab == "15 3 * * *"
    assert (users.together, users.stop_on_failure, users.after_freeze) == (True, False, False)


def test_taking_over_twice_changes_nothing(plugin: Installation) -> None:
    first = takeover("--apply")
    assert first["counts"]["set"] > 20
    records = AuditRecord.objects.count()
    second = takeover("--apply")
    assert second["counts"]["set"] == 0
    assert second["counts"]["kept"] == 0
    assert AuditRecord.objects.count() == records
    assert Schedule.objects.filter(processors=["users"]).count() == 1


def test_what_was_set_here_stays(plugin: Installation) -> None:
    save_settings(site=plugin.site, processor="users", values={"primaryidentity": "email"})
    plugin.put("/users/load_1.csv", b"username;firstname;lastname\nmine;My;Own\n")
    Retention.objects.create(site=plugin.site, reports=7, archives=7, trybacks=7, journals=7)
    said = takeover("--apply")
    assert state_of(said, "users_primaryidentity", "users") == {("kept", "username")}
    assert stored("users")["primaryidentity"] == "email"
    assert stored("users")["createpasswords"] is True
    assert state_of(said, "/users/load_1.csv") == {("kept", "")}
    assert b"mine" in plugin.read("/users/load_1.csv")
    assert Retention.objects.get().reports == 7


def test_everything_is_in_the_audit(plugin: Installation) -> None:
    takeover("--apply")
    codes = {line.entry.code for line in find_entries(plugin.site, AuditQuery()).lines if line.entry}
    assert {"audit_takeover", "audit_settings_updated", "audit_source_updated", "audit_schedule_updated"} <= codes


def test_what_the_plugin_stopped_in_and_what_nobody_knows_is_named(plugin: Installation) -> None:
    said = takeover()
    by_name = {item["name"]: item for item in said["items"]}
    assert "users/load_2.csv" in by_name["lastrunning_users"]["text"]
    assert "lastrunning_enrol" not in by_name
    assert by_name["somesecret"]["state"] == "left"
    assert Retention.objects.count() == 0
    assert state_of(said, "fileareacleanupdelay") == {("set", "30")}


def test_without_data_folder_files_stay_and_are_named(plugin: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_DATAROOT = ""
    said = takeover("--apply")
    assert {state for state, _value in state_of(said, "/users/load_1.csv")} == {"left"}
    assert not CommandFile.objects.exists()


def test_a_moodle_without_the_plugin_has_nothing(installation: Installation) -> None:
    out = io.StringIO()
    call_command("takeover", "--apply", stdout=out)
    assert "has left nothing" in out.getvalue()
    assert not ProcessorSettings.objects.exists()
    with pytest.raises(CommandError, match="no site"):
        call_command("takeover", "--site", "nowhere")


@pytest.mark.sites("mariadb:4.5")
def test_the_same_on_a_server(installation_everywhere: Installation, settings: Settings, tmp_path: Path) -> None:
    settings.TOOLSYNC_MOODLE_DATAROOT = str(tmp_path / "moodledata")
    with_plugin(installation_everywhere, tmp_path / "moodledata")
    assert takeover("--apply")["counts"]["set"] > 20
    assert stored("users")["primaryidentity"] == "username"
    assert CommandFile.objects.count() == len(FILES)
