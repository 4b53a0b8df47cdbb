"""Command files for the first look: most rows are right, some are wrong in the ways in which real files are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sync.demo.people import Person, invent_people
from sync.demo.pictures import zip_of_faces
from sync.demo.users import GONE, PEOPLE

NEWCOMERS = 40
# Places of people of the demo Moodle that the files speak of; no two files speak of the same.
_MOVED, _AS_THEY_ARE = slice(50, 55), slice(60, 63)
_LEAVING, _EXPELLED = slice(70, 76), slice(80, 83)
_PICTURED = slice(90, 96)
_LEFT = slice(130, 170)
_ENROLLED = slice(100, 106)
_COMING_BACK, _FORGIVEN = PEOPLE - GONE, 119

_HEADER = (
    "username;firstname;lastname;email;idnumber;city;country;department;cohort;course1;role1;enrol1;group1;"
    "profile_field_programme"
)


class SampleFile(NamedTuple):
    """Shape: options: those that differ from the default, beside the ones that every sample has; is_held: it changes more than
    the limits allow, so that somebody has to approve it"""

    name: str
    processor: str
    content: bytes
    options: dict[str, object]
    is_held: bool = False


def sample_files() -> list[SampleFile]:
    """Return the files in the order in which they are to be carried out."""
    people = invent_people(PEOPLE + NEWCOMERS)
    by_username: dict[str, object] = {"primaryidentity": "username"}
    by_username_and_course: dict[str, object] = {"useridentifier": "username", "courseidentifier": "shortname"}
    return [
        SampleFile("userimport.csv", "users", _content(_users(people)), {}),
        SampleFile("usersuspend.csv", "users_suspend", _content(_suspend(people)), by_username),
        SampleFile("userdelete.csv", "users_delete", _content(_delete(people)), by_username),
        SampleFile("userrestore.csv", "users_restore", _content(_restore(people)), by_username),
        SampleFile("userpictures_portraits.zip", "userpictures", zip_of_faces(people[_PICTURED], "ada.typo"), {}),
        SampleFile("enrols.csv", "enrolments", _content(_enrolments(people)), by_username_and_course),
        SampleFile("leavers.csv", "users_delete", _content(_leavers(people)), by_username, is_held=True),
    ]


def _users(people: Sequence[Person]) -> Iterable[str]:
    yield "# Intake of September: newcomers, people who moved, and some mistakes"
    yield _HEADER
    for place, person in enumerate(people[PEOPLE:]):
        course, group = (("ALG1", "Group A"), ("PROG", "Group B"), ("FR-A1", "Tutorial C"))[place % 3]
        yield _row(person, "First year", course, "student", "manual", group)
    for person in people[_MOVED]:
        yield _row(person._replace(city="Marseille", country="FR"))
    for person in people[_AS_THEY_ARE]:
        yield _row(person)
    yield from _mistakes(people)


def _leavers(people: Sequence[Person]) -> Iterable[str]:
    yield "# Who left in summer, as the registry exported it at night: a filter was forgotten, so that the first years are in it"
    yield "username"
    for person in people[_LEFT]:
        yield person.username


def _mistakes(people: Sequence[Person]) -> Iterable[str]:
    """One row for each kind of mistake."""
    town = ("Nice", "FR", "Sciences")
    yield _row(Person("marie louise.petit", "Marie Louise", "Petit", "ml.petit@example.org", "S09001", *town))
    yield _row(Person("kofi.mensah", "Kofi", "Mensah", "kofi.mensah@example.org", "S09002", "London", "UK", "Sciences"))
    yield _row(Person("noa.lind", "Noa", "Lind", "noa.lind(at)example.org", "S09003", "Lund", "SE", "Languages"))
    yield _row(people[5]._replace(idnumber="S09004"))
    yield _row(Person("jo.doe", "Jo", "Doe", "jo.doe@example.org", "S09005", *town), "", "ALG-ONE", "student", "manual")
    yield _row(
        Person("eva.brandt", "Eva", "Brandt", "eva.brandt@example.org", "S09006", "Ulm; Donau", "DE", "Sciences")
    )
    yield _row(Person("tom.bell", "Tom", "", "tom.bell@example.org", "S09007", "Leeds", "GB", "Humanities"))


def _suspend(people: Sequence[Person]) -> Iterable[str]:
    yield "username"
    yield from (person.username for person in people[_LEAVING])
    yield "tom.typo"


def _delete(people: Sequence[Person]) -> Iterable[str]:
    yield "username"
    yield from (person.username for person in people[_EXPELLED])
    yield "admin"


def _restore(people: Sequence[Person]) -> Iterable[str]:
    """One user is suspended in the demo Moodle, the other deleted."""
    yield "username;email;idnumber"
    yield f"{people[_FORGIVEN].username};;{people[_FORGIVEN].idnumber}"
    yield f"{people[_COMING_BACK].username};{people[_COMING_BACK].email};{people[_COMING_BACK].idnumber}"


def _enrolments(people: Sequence[Person]) -> Iterable[str]:
    """What the registry sent last week; since then nothing came."""
    yield "uid;cmd;cid;rolename;enrol"
    yield from (f"{person.username};add;DB;student;manual" for person in people[_ENROLLED])


def _row(person: Person, *memberships: str) -> str:
    """Shape: memberships: cohort, course, role, enrolment method, group; those left out are empty"""
    programme = "Bachelor" if memberships else "Master"
    return ";".join((*person, *memberships, *[""] * (5 - len(memberships)), programme))


def _content(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
