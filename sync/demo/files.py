"""Command files for the first look: most rows are right, some are wrong in the ways in which real files are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sync.demo.people import invent_people


class SampleFile(NamedTuple):
    """Shape: options: those that differ from the default."""

    name: str
    processor: str
    text: str
    options: Mapping[str, object]


def sample_files() -> list[SampleFile]:
    people = invent_people(60)
    moved, leaving = people[3], people[40:44]
    header = "username;idnumber;firstname;lastname;email;city;country;cohort;course1;role1;enrol1;group1;profile_field_programme"
    newcomers = [
        f"new.student{number};N{number:04};Newcomer;Number {number};new.student{number}@example.org;Nantes;FR;First year;"
        f"ALG1;student;manual;Group A;Bachelor"
        for number in range(1, 41)
    ]
    users = [
        "# Intake of September: 40 newcomers, and corrections",
        header,
        *newcomers,
        f"{moved.username};{moved.idnumber};{moved.firstname};{moved.lastname};{moved.email};Marseille;FR;;;;;;",
        "bad name;N0901;Blank;Inside;blank@example.org;Nice;FR;;;;;;",
        "late.arrival;N0902;Late;Arrival;late@example.org;Atlantis;XX;;;;;;",
        f"{people[5].username};OTHER-1;Wrong;Person;wrong@example.org;Nice;FR;;;;;;",
        "jo.doe;N0903;Jo;Doe;jo.doe@example.org;Nice;FR;;NO-SUCH-COURSE;student;manual;;",
    ]
    with_identity = {"primaryidentity": "idnumber"}
    by_username = {"primaryidentity": "username"}
    return [
        SampleFile("userimport.csv", "users", _text(users), with_identity),
        SampleFile(
            "usersuspend.csv", "users_suspend", _text(["username", *(p.username for p in leaving)]), by_username
        ),
        SampleFile(
            "userdelete.csv",
            "users_delete",
            _text(["username", people[44].username, "nobody.here", "admin"]),
            by_username,
        ),
        SampleFile("userrestore.csv", "users_restore", _text(["username", leaving[0].username]), by_username),
    ]


def _text(lines: list[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
