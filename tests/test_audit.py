"""The audit of pinned packages: what a list of advisories says of them, and what is said where there is none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
DJANGO = re.search(r"^django==([\d.]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE | re.IGNORECASE)


def audit(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "audit.py"), str(folder)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def advisory(folder: Path, **affected: Any) -> None:
    package = {"ecosystem": "PyPI", "name": "Django"}
    (folder / "one.json").write_text(
        json.dumps({"id": "TEST-1", "summary": "A hole.", "affected": [{"package": package, **affected}]})
    )


def events(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"ranges": [{"type": "ECOSYSTEM", "events": [{kind: version} for kind, version in pairs]}]}


def test_without_a_list_it_is_skipped_and_says_so(tmp_path: Path) -> None:
    assert audit(tmp_path)[0] == 0
    assert "Audit skipped" in audit(tmp_path)[1]


@pytest.mark.parametrize(
    ("affected", "is_affected"),
    [
        (events(("introduced", "0")), True),
        (events(("introduced", "0"), ("fixed", "4.2.1")), False),
        (events(("fixed", "999"), ("introduced", "5.0")), True),
        (events(("introduced", "999")), False),
        (events(("introduced", "0"), ("last_affected", "4.0")), False),
        (events(("introduced", "0"), ("last_affected", "999")), True),
        (events(("introduced", "1.0"), ("fixed", "2.0"), ("introduced", "5.0"), ("fixed", "999")), True),
        ({"versions": [DJANGO[1] if DJANGO else ""]}, True),
        ({"versions": ["1.0", "odd-name"]}, False),
    ],
)
def test_pins_are_compared_with_the_list(tmp_path: Path, affected: dict[str, Any], is_affected: bool) -> None:
    advisory(tmp_path, **affected)
    status, said = audit(tmp_path)
    assert status == int(is_affected), said
    assert ("TEST-1 A hole." in said) is is_affected


def test_what_is_no_list_is_said(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"affected": 3}')
    status, said = audit(tmp_path)
    assert status == 2
    assert "can't be read" in said
