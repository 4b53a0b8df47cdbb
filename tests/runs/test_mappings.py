"""Runs of files whose columns are mapped: chosen by the header, kept with the run, said in report and tryback."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import MappingError
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Constant, Copy, Words
from sync.models import SavedMapping, SyncRun
from sync.runs import services
from sync.runs.decisions import apply_plan
from sync.runs.mappings import save_mapping, switch_mapping
from sync.runs.rights import OPERATOR
from tests.installation import Installation, at

HEADER = ("N° étudiant", "Nom", "Prénom", "Courriel", "Civilité", "Mot de passe")
GOOD = "22001;Łovelace;Ada;ada@x.org;Mme;Secret-77"
BAD = "22002;Byron;George;no-address;M.;Secret-78"
FILE = "\r\n".join([";".join(HEADER), GOOD, BAD, ""])
TITLES = Words({"Mme": "F", "M.": "H"})
MAPPING = ColumnMapping(
    (
        Copy("username", "n° étudiant"), Copy("idnumber", "n° étudiant"), Copy("lastname", "nom"), Copy("firstname", "prénom"),
        Copy("email", "courriel"), Copy("department", "civilité", words=TITLES), Constant("city", "Paris"),
    ),
    ("mot de passe",),
)  # fmt: skip


def save(installation: Installation, mapping: ColumnMapping = MAPPING, name: str = "Apogée") -> SavedMapping:
    return save_mapping(installation.site, "users", name, mapping, HEADER, by=OPERATOR)


def used(run: SyncRun) -> dict[str, Any]:
    """Return the mapping that a run has used."""
    assert run.mapping is not None
    return dict(run.mapping)


@pytest.mark.sites("mariadb:4.5")
def test_a_mapped_file_is_carried_out_and_comes_back_as_it_came(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    save(installation)
    with at("2026-09-01 08:00:00"):
        run = installation.carry_out("/in.csv", FILE, filefailed=1, storereport=1)
    assert (run.counts, run.error_code) == ({"created": 1, "rejected": 1}, "")
    ada = moodle.one("user", username="22001")
    assert (ada["lastname"], ada["idnumber"], ada["department"], ada["city"]) == ("Łovelace", "22001", "F", "Paris")
    assert (used(run)["name"], used(run)["version"]) == ("Apogée", 1)
    report = installation.read("/reports/20260901-080000_report_in.txt").decode()
    assert "“Apogée”, version 1" in report
    assert "Mot de passe" in report
    assert "Secret-7" not in report

    path = "/in_tryback_20260901-080000.csv"
    tryback = installation.read(path)
    header, failed, rest = tryback.split(b"\r\n")
    assert header == ";".join(HEADER).encode() + b";_mapping;_line;_code;_reason"
    assert failed.startswith(BAD.encode() + ";Apogée #1;3;value_not_email;".encode())
    assert rest == b""

    # The next version isn't what the tryback was made with.
    save(installation, ColumnMapping(MAPPING.steps[:-1], MAPPING.left_out))
    mended = installation.carry_out(path, tryback.replace(b"no-address", b"byron@x.org"), filefailed=1)
    assert (mended.counts, used(mended)["version"]) == ({"created": 1}, 1)
    assert moodle.one("user", username="22002")["city"] == "Paris"


def test_a_version_that_is_used_no_more_gives_way_to_the_one_before(installation: Installation) -> None:
    save(installation)
    second = save(installation, ColumnMapping(MAPPING.steps[:-1], MAPPING.left_out))
    assert (second.version, save(installation, ColumnMapping(MAPPING.steps[:-1], MAPPING.left_out)).pk) == (
        2,
        second.pk,
    )
    assert used(installation.carry_out("/in.csv", FILE, simulate=True))["version"] == 2
    switch_mapping(second, is_used=False, by=OPERATOR)
    assert used(installation.carry_out("/in.csv", FILE, simulate=True))["version"] == 1


def test_what_was_shown_is_applied_whatever_was_kept_since(installation: Installation) -> None:
    save(installation)
    plan = installation.carry_out("/in.csv", FILE, simulate=True)
    save(installation, ColumnMapping((*MAPPING.steps[:-1], Constant("city", "Lyon")), MAPPING.left_out))
    run = services.execute_run(apply_plan(plan, OPERATOR).pk)
    assert (used(run)["version"], installation.moodle.one("user", username="22001")["city"]) == (1, "Paris")


def test_a_mapping_of_one_run_is_found_again_by_its_tryback(installation: Installation) -> None:
    queued = installation.queue("/in.csv", FILE, filefailed=1)
    SyncRun.objects.filter(pk=queued.pk).update(mapping=MAPPING.data())
    with at("2026-09-01 08:00:00"):
        run = services.execute_run(queued.pk)
    path = "/in_tryback_20260901-080000.csv"
    tryback = installation.read(path)
    assert f";run {run.pk};3;value_not_email;".encode() in tryback
    mended = installation.carry_out(path, tryback.replace(b"no-address", b"byron@x.org"))
    assert mended.counts == {"created": 1}


ROSTER = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourceIds,role,username,userIds,givenName,familyName,middleName,identifier,"
    "email,sms,phone,agentSourceIds,grades,password\n"
    "u-1,active,2026-09-01,true,o-1,student,ada,,Ada,Lovelace,,,ada@x.org,,,,,\n"
    "u-2,tobedeleted,2026-09-01,true,o-1,student,bob,,Bob,King,,,bob@x.org,,,,,\n"
)


def test_a_file_of_another_system_is_read_by_the_mapping_that_comes_with_toolsync(installation: Installation) -> None:
    run = installation.carry_out("/users.csv", ROSTER)
    assert (run.counts, used(run)["name"]) == ({"created": 2}, "OneRoster users.csv")
    users = {name: installation.moodle.one("user", username=name) for name in ("ada", "bob")}
    assert [(user["idnumber"], user["suspended"], user["deleted"]) for user in users.values()] == [
        ("u-1", 0, 0), ("u-2", 1, 0),
    ]  # fmt: skip
    assert run.command_file is not None
    assert run.command_file.processor == "users"


def test_a_mapping_that_lost_its_column_stops_the_run_before_it_writes(installation: Installation) -> None:
    kept = save(installation)
    data = {**kept.data, "steps": [*kept.data["steps"], {"step": "constant", "target": "shoesize", "constant": "39"}]}
    SavedMapping.objects.filter(pk=kept.pk).update(data=data)
    before = installation.moodle.snapshot()
    run = installation.carry_out("/in.csv", FILE)
    assert (run.state, run.error_code, run.error_params) == ("failed", "mapping_target_unknown", {"column": "shoesize"})
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


@pytest.mark.parametrize(
    ("name", "mapping", "code"),
    [("", MAPPING, "mapping_name_missing"), ("OneRoster users.csv", MAPPING, "mapping_name_taken"),
     ("run 12", MAPPING, "mapping_name_taken"), ("Empty", ColumnMapping(), "mapping_empty")],
)  # fmt: skip
def test_what_is_not_kept(installation: Installation, name: str, mapping: ColumnMapping, code: str) -> None:
    with pytest.raises(MappingError) as caught:
        save(installation, mapping, name)
    assert caught.value.code == code
    assert not SavedMapping.objects.exists()
