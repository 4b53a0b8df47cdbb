"""A tryback is read again as it was written, whatever its file was written in and whatever was set to read it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import openpyxl
import pytest

from sync.models import SyncRun
from sync.runs import finalize
from sync.runs.selectors import run_notes
from tests.installation import Installation
from tests.real_files.case import shell_run

pytestmark = pytest.mark.django_db(transaction=True)

HEADER = "username;firstname;lastname;city"


@pytest.mark.parametrize(
    ("codec", "options", "name", "is_marked"),
    [
        # All that is left is UTF-8 by chance.
        ("cp1252", (), "CAFÉ»", True),
        ("cp1252", ("encoding=Windows-1252",), "Ã©", True),
        ("cp1253", ("encoding=Windows-1253",), "Γεώργιος", True),
        ("iso8859-2", ("encoding=ISO-8859-2",), "Łukasz", True),
        ("cp932", ("encoding=SJIS",), "山田", True),
        ("utf-8", (), "Amélie", False),
        ("utf-8-sig", (), "Amélie", False),
        ("utf-16", (), "Łukasz", False),
        ("cp1252", (), "Amélie", False),
    ],
)
def test_names_come_back_as_they_were(  # noqa: PLR0917
    installation: Installation, tmp_path: Path, codec: str, options: tuple[str, ...], name: str, is_marked: bool
) -> None:
    others = "" if "1252" not in codec else "".join(f"u{n};Hélène;L;Orléans\n" for n in range(5))
    file = tmp_path / "in.csv"
    file.write_bytes(f"{HEADER}\n{others}bad.one;{name};;{name}\n".encode(codec))
    run = shell_run("users", file, "primaryidentity=username", *options)
    assert (run.status, run.counts.get("rejected")) == (1, 1)
    assert run.tryback.startswith(b"# ToolSync") is is_marked
    again = tmp_path / "again.csv"
    end = {"utf-16": "utf-16-le", "utf-8-sig": "utf-8"}.get(codec, codec)
    again.write_bytes(run.tryback.replace(f"{name};;".encode(end), f"{name};L;".encode(end)))
    for with_options in (options, ()):
        # The first makes the user, the second finds it as it is.
        read = shell_run("users", again, "primaryidentity=username", *with_options)
        assert read.status == 0, read.said
    (made,) = [row for row in installation.moodle.rows("user") if row["username"] == "bad.one"]
    assert (made["firstname"], made["city"]) == (name, name)


def test_a_workbook_with_a_separator_set_comes_back(installation: Installation, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["username", "firstname", "lastname"], ["wb.one", "Ann", None]):
        workbook.active.append(row)
    file = tmp_path / "in.xlsx"
    workbook.save(file)
    options = ("primaryidentity=username", "separator=,")
    run = shell_run("users", file, *options)
    assert run.counts == {"rejected": 1}
    again = tmp_path / "again.csv"
    again.write_bytes(run.tryback.replace(b"wb.one;Ann;", b"wb.one;Ann;L", 1))
    assert shell_run("users", again, *options).counts == {"created": 1}
    assert shell_run("users", again, "primaryidentity=username").counts == {"unchanged": 1}


def test_a_header_with_such_letters_comes_back(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    others = "".join(f"u{number};Hélène;L;x\n" for number in range(5))
    file.write_bytes(f"username;firstname;lastname;CAFÉ»\n{others}hd.one;Ann;;x\n".encode("cp1252"))
    options = ("primaryidentity=username", "invalidnamesnocheck=1")
    run = shell_run("users", file, *options)
    assert run.counts == {"created": 5, "rejected": 1}
    assert run.tryback.startswith(b"# ToolSync encoding=Windows-1252")
    again = tmp_path / "again.csv"
    again.write_bytes(run.tryback.replace(b"hd.one;Ann;;", b"hd.one;Ann;L;"))
    read = shell_run("users", again, *options)
    assert (read.status, read.counts) == (0, {"created": 1})
    assert "CAFÉ»" in read.report


def test_a_quote_that_ends_nowhere_comes_back(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text(f'{HEADER}\nqt.one;Ann;;"Paris\nqt.two;Bea;B;"Le" Port\nqt.three;1;2;3;4;5;6;7;Lyon"\n')
    run = shell_run("users", file, "primaryidentity=username")
    assert run.counts == {"created": 1, "rejected": 2}
    again = tmp_path / "again.csv"
    again.write_bytes(run.tryback.replace(b"Ann;;", b"Ann;A;"))
    assert shell_run("users", again, "primaryidentity=username").counts == {"created": 1, "rejected": 1}
    made = {row["username"]: row["city"] for row in installation.moodle.rows("user") if row["username"][:3] == "qt."}
    assert made == {"qt.one": '"Paris', "qt.two": '"Le" Port'}


def test_a_tryback_that_no_form_brings_back_is_named(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finalize, "reads_back", lambda *_arguments: False)
    file = tmp_path / "in.csv"
    file.write_bytes(f"{HEADER}\nno.one;Ann;;x\n".encode())
    run = shell_run("users", file, "primaryidentity=username")
    assert (run.status, run.counts) == (1, {"rejected": 1})
    assert b"no.one;Ann;;x;2;cell_empty;" in run.tryback
    assert "The tryback isn't read as this file was" in run.report
    (kept,) = SyncRun.objects.filter(file_sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    assert [note.code for note in run_notes(kept)] == ["tryback_read_otherwise"]
