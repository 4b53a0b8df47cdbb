"""Command files of made-up people, of any length; written row by row, so that they cost no memory."""

from __future__ import annotations

from pathlib import Path

HEADER = "username;firstname;lastname;email;idnumber;institution;department;city;country"


def write_people(path: Path, rows: int, *, department: str = "Physics", password: str = "") -> Path:
    """Write a `users` file. Shape: department: in every row, with the row's number; password: the same, no column if empty"""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + (";password" if password else "") + "\n")
        for n in range(rows):
            file.write(
                f"kim{n:07};Kim;Nr {n};kim{n}@example.org;K{n:07};University;{department} {n};Lyon;FR"
                f"{f';{password}{n}' if password else ''}\n"
            )
    return path
