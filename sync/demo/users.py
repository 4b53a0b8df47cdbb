"""The users of the demo Moodle, with their contexts and profile fields."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

from sync.demo.people import Person, invent_people
from sync.demo.tables import DAY, SYSTEM_PATH, Tables
from sync.moodle.users.passwords import HashFormat, hash_password
from sync.moodle.versions import CONTEXT_USER

PEOPLE = 300
# The last ones are gone: deleted users, which a file may bring back.
GONE = 4
# Whom the sample files of the file types name.
SAMPLE_PERSON = Person(
    "ada.lovelace", "Ada", "Lovelace", "ada.lovelace@example.org", "A-1815", "London", "GB", "Mathematics"
)
_PROGRAMMES = ("Bachelor", "Master", "Doctorate")


def add_people(tables: Tables) -> list[int]:
    """Insert the users; return the ids of those that are there, in the order of the invented people."""
    people = invent_people(PEOPLE)
    # Nobody logs in to this Moodle, so nobody needs a password of their own, and nobody knows this one.
    password = hash_password(secrets.token_urlsafe(), HashFormat.SHA512)
    userids = tables.add("user", [_user_row(tables, place, person, password) for place, person in enumerate(people)])
    tables.add_contexts(CONTEXT_USER, [(userid, SYSTEM_PATH) for userid in userids])
    present = userids[:-GONE]
    _add_profile_fields(tables, present)
    return present


def add_sample_person(tables: Tables) -> int:
    """Insert the person whom sample files name; return the id."""
    (userid,) = tables.add("user", [_user_row(tables, 0, SAMPLE_PERSON, "not cached")])
    tables.add_contexts(CONTEXT_USER, [(userid, SYSTEM_PATH)])
    return userid


def has_visited(place: int) -> bool:
    """Whether the person at this place has ever been in the demo Moodle."""
    return place % 6 != 5


def _user_row(tables: Tables, place: int, person: Person, password: str) -> dict[str, Any]:
    visit = tables.now - (place % 30 + 1) * DAY if has_visited(place) else 0
    user = {
        **person._asdict(), **tables.made, "auth": "manual", "confirmed": 1, "mnethostid": 1, "password": password, "lang": "en",
        "timezone": "99", "suspended": int(place % 60 == 59), "deleted": 0, "firstaccess": visit and tables.began + DAY,
        "lastaccess": visit, "lastlogin": visit, "currentlogin": visit,
    }  # fmt: skip
    return {**user, **_traces_of_deletion(tables, person)} if place >= PEOPLE - GONE else user


def _traces_of_deletion(tables: Tables, person: Person) -> dict[str, Any]:
    """Mirrors: delete_user() of Moodle 4.5, which frees username, email and idnumber"""
    moment = tables.began + 30 * DAY
    return {
        "deleted": 1, "username": f"{person.email}.{moment}", "idnumber": "", "suspended": 0, "timemodified": moment,
        "email": hashlib.md5(person.username.encode(), usedforsecurity=False).hexdigest(),
    }  # fmt: skip


def _add_profile_fields(tables: Tables, userids: Sequence[int]) -> None:
    (category,) = tables.add("user_info_category", [{"name": "University", "sortorder": 1}])
    fields = (
        ("programme", "Programme", "menu", "Bachelor", "\n".join(_PROGRAMMES), None),
        ("library", "Library card", "text", "", "30", "2048"),
        ("newsletter", "Newsletter", "checkbox", "0", None, None),
    )
    programme, library, newsletter = tables.add("user_info_field", [
        {
            "shortname": shortname, "name": name, "datatype": datatype, "categoryid": category, "sortorder": sortorder,
            "description": "", "descriptionformat": 1, "visible": 2, "defaultdata": default, "param1": param1, "param2": param2,
        }
        for sortorder, (shortname, name, datatype, default, param1, param2) in enumerate(fields, start=1)
    ])  # fmt: skip
    tables.add("user_info_data", [
        {"userid": userid, "fieldid": fieldid, "data": data, "dataformat": 0}
        for userid in userids
        for fieldid, data in (
            (programme, _PROGRAMMES[userid % 3]), (library, f"LIB-{userid:06}"), (newsletter, str(userid % 2)),
        )
    ])  # fmt: skip
