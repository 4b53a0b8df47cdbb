#!/usr/bin/env python3
"""Compare the pinned packages with a list of known vulnerabilities, without asking any server.

The list is a folder of advisories in the OSV format, one JSON file each, as the Python Packaging Advisory Database gives them
for download; it is kept in var/advisories, or where the first argument says. Where there is none the audit is skipped, and
says so. Exit status: 0 nothing known, or skipped; 1 a pinned package is affected; 2 the list can't be read.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parent.parent
PINS = ("requirements.txt", "requirements-dev.txt")
OLD_AFTER_DAYS = 30

_PIN = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "var" / "advisories"
    files = sorted(folder.rglob("*.json"))
    if not files:
        sys.stdout.write(
            f"Audit skipped: there is no list of advisories in {folder} (docs/security.md says how to get one).\n"
        )
        return 0
    age = (time.time() - max(file.stat().st_mtime for file in files)) / 86_400
    if age > OLD_AFTER_DAYS:
        sys.stdout.write(f"The list of advisories is {age:.0f} days old: get a newer one.\n")
    pins = pinned_versions(ROOT)
    try:
        found = sorted(findings(files, pins))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sys.stdout.write(f"The list of advisories can't be read: {error}\n")
        return 2
    for finding in found:
        sys.stdout.write(finding + "\n")
    sys.stdout.write(f"Audit of {len(pins)} packages with {len(files)} advisories: {len(found)} affected.\n")
    return 1 if found else 0


def pinned_versions(root: Path) -> dict[str, Version]:
    """Return the normalised name of each pinned package, and its version."""
    texts = [(root / name).read_text(encoding="utf-8") for name in PINS]
    return {canonicalize_name(name): Version(version) for text in texts for name, version in _PIN.findall(text)}


def findings(files: list[Path], pins: dict[str, Version]) -> Iterator[str]:
    """Return a line for each advisory that concerns a pinned version. Raises: ValueError if a file is no advisory"""
    for file in files:
        advisory = json.loads(file.read_text(encoding="utf-8"))
        if advisory.get("withdrawn"):
            continue
        for affected in advisory.get("affected", ()):
            package = affected.get("package", {})
            name = canonicalize_name(package.get("name", ""))
            if package.get("ecosystem") == "PyPI" and name in pins and is_affected(affected, pins[name]):
                yield f"{name} {pins[name]}: {advisory['id']} {advisory.get('summary', '')}".rstrip()


def is_affected(affected: dict[str, Any], version: Version) -> bool:
    """Return whether a version is among those named, or within one of the ranges."""
    if any(_version(named) == version for named in affected.get("versions", ())):
        return True
    ranges = [each["events"] for each in affected.get("ranges", ()) if each.get("type") in ("ECOSYSTEM", "SEMVER")]
    return any(_is_in_range(events, version) for events in ranges)


def _is_in_range(events: list[dict[str, str]], version: Version) -> bool:
    """Follow the events of a range in the order of their versions: from where it begins to where it ends."""
    inside = False
    ordered = sorted(
        ((_version(text), kind) for event in events for kind, text in event.items()), key=lambda item: item[0]
    )
    for at, kind in ordered:
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        # Old releases have names that no rule knows; none of them is pinned.
        return Version("0")


if __name__ == "__main__":
    sys.exit(main())
