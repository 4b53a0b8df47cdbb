"""Roles of the whole site in a users file: sysrole1, sysrole2 … as Moodle's own upload reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.processors.enrolment_people import dirty_users
from tests.support import RunResult, run_file

NAMES = "username;firstname;lastname"
ALLOWED = {"assigns_configuring_roles": True}
CREATOR = "coursecreator"


def run(site: MoodleSite, header: str, *rows: str, **more: Any) -> RunResult:
    text = "".join(f"{line}\n" for line in (f"{NAMES};{header}", *rows))
    return run_file(site, "users", text, primaryidentity="username", **more)


def held(site: MoodleSite, username: str) -> list[str]:
    """Return the short names of the roles that somebody has in the system context."""
    context = site.one("context", contextlevel=10)["id"]
    given = site.rows("role_assignments", userid=site.one("user", username=username)["id"], contextid=context)
    return sorted(site.one("role", id=row["roleid"])["shortname"] for row in given)


@pytest.fixture
def with_barred(sqlite_site: MoodleSite) -> MoodleSite:
    """Roles for the system: one for each capability that bars it, and one that permits nothing of the kind."""
    for number, (name, capability) in enumerate([
        ("chief", "moodle/site:config"), ("manages", "moodle/role:manage"), ("assigns", "moodle/role:assign"),
        ("overrides", "moodle/role:override"), ("tokens", "moodle/webservice:managealltokens"), ("reader", "moodle/course:view"),
    ]):  # fmt: skip
        roleid = sqlite_site.insert(
            "role", name=name, shortname=name, description="", archetype="", sortorder=90 + number
        )
        sqlite_site.insert("role_context_levels", roleid=roleid, contextlevel=10)
        sqlite_site.insert(
            "role_capabilities",
            contextid=1,
            roleid=roleid,
            capability=capability,
            permission=1,
            timemodified=0,
            modifierid=0,
        )
        sqlite_site.ids[name] = roleid
    return sqlite_site


def test_a_role_is_given_once_and_taken_away_once(sqlite_site: MoodleSite) -> None:
    given = run(sqlite_site, "sysrole1", f"new;N;E;{CREATOR}", f"ann;Ann;Smith;{CREATOR.upper()}", "other;O;T;")
    assert given.counts == {"created": 2, "updated": 1}
    assert [held(sqlite_site, name) for name in ("new", "ann", "other")] == [[CREATOR], [CREATOR], []]
    row = sqlite_site.one("role_assignments", userid=sqlite_site.ids["ann"], contextid=1)
    assert (row["component"], row["itemid"], row["sortorder"]) == ("", 0, 0)
    assert str(sqlite_site.ids["ann"]) in dirty_users(sqlite_site)

    before = sqlite_site.snapshot()
    again = run(sqlite_site, "sysrole1", f"new;N;E;{CREATOR}", f"ann;Ann;Smith;{CREATOR}", f"other;O;T;-{CREATOR}")
    assert again.counts == {"unchanged": 3}
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}

    taken = run(sqlite_site, "sysrole1", f"new;N;E;-{CREATOR}", f"ann;Ann;Smith;- {CREATOR}")
    assert taken.counts == {"updated": 2}
    assert [held(sqlite_site, name) for name in ("new", "ann")] == [[], []]
    assert run(sqlite_site, "sysrole1", f"new;N;E;-{CREATOR}").counts == {"unchanged": 1}


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_a_simulation_sees_what_earlier_rows_give(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    rows = (
        f"new;N;E;{CREATOR};",
        f"new;N;E;{CREATOR};",
        f"new;N;E;-{CREATOR};{CREATOR}",
        f"new;N;E;{CREATOR};-{CREATOR}",
    )
    simulated = run(sqlite_site, "sysrole1;sysrole2", *rows, chunk_rows=chunk_rows, simulate=True)
    real = run(sqlite_site, "sysrole1;sysrole2", *rows, chunk_rows=chunk_rows)
    assert simulated.outcomes == real.outcomes
    assert [outcome.action.value for outcome in real.outcomes] == ["created", "unchanged", "updated", "updated"]
    assert held(sqlite_site, "new") == []


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("nobody", "role_unknown"), ("-nobody", "role_unknown"), ("2", "role_unknown"),
        ("student", "role_not_for_system"), ("manager", "role_hands_out_roles"), ("manages", "role_hands_out_roles"),
        ("assigns", "role_hands_out_roles"), ("overrides", "role_hands_out_roles"), ("tokens", "role_hands_out_roles"),
        ("chief", "role_configures_site"),
    ],
)  # fmt: skip
def test_what_no_file_gives_makes_the_row_partial(with_barred: MoodleSite, cell: str, code: str) -> None:
    result = run(with_barred, "sysrole1;sysrole2", f"new;N;E;{cell};reader")
    assert result.counts == {"partial": 1}
    assert code in result.codes or code in [note.code for note in result.outcomes[0].notes]
    assert held(with_barred, "new") == ["reader"]


@pytest.mark.parametrize("role", ["chief", "manages", "assigns", "overrides", "tokens", "manager"])
def test_the_operator_may_allow_it_and_who_has_it_keeps_it(with_barred: MoodleSite, role: str) -> None:
    assert run(with_barred, "sysrole1", f"ann;Ann;Smith;{role}", permits=ALLOWED).counts == {"updated": 1}
    assert held(with_barred, "ann") == [role]
    assert run(with_barred, "sysrole1", f"ann;Ann;Smith;{role}").counts == {"unchanged": 1}
    taken = run(with_barred, "sysrole1", f"ann;Ann;Smith;-{role}")
    # Who may configure the site is protected.
    assert taken.codes == (["account_protected"] if role == "chief" else ["account_updated"])
    assert held(with_barred, "ann") == (["chief"] if role == "chief" else [])


def test_a_permission_in_a_course_bars_nothing(with_barred: MoodleSite) -> None:
    with_barred.execute(
        "UPDATE {role_capabilities} SET contextid = :c WHERE roleid = :r",
        c=with_barred.ids["C1 context"], r=with_barred.ids["assigns"],
    )  # fmt: skip
    assert run(with_barred, "sysrole1", "new;N;E;assigns").counts == {"created": 1}


def test_no_file_gives_or_takes_roles_of_protected_users(sqlite_site: MoodleSite) -> None:
    for cell in (CREATOR, "manager"):
        result = run(sqlite_site, "sysrole1", f"admin;Admin;User;{cell}")
        assert result.codes == ["account_protected"]
    assert held(sqlite_site, "admin") == []
    sqlite_site.insert(
        "role_assignments", roleid=sqlite_site.one("role", shortname=CREATOR)["id"], contextid=1,
        userid=sqlite_site.one("user", username="admin")["id"], timemodified=1, modifierid=2,
    )  # fmt: skip
    assert run(sqlite_site, "sysrole1", f"admin;Admin;User;-{CREATOR}").codes == ["account_protected"]
    assert run(sqlite_site, "sysrole1", f"admin;Admin;User;{CREATOR}").codes == ["account_unchanged"]
    assert held(sqlite_site, "admin") == [CREATOR]


def test_an_assignment_of_another_component_is_left_alone(sqlite_site: MoodleSite) -> None:
    roleid = sqlite_site.one("role", shortname=CREATOR)["id"]
    sqlite_site.insert(
        "role_assignments", roleid=roleid, contextid=1, userid=sqlite_site.ids["ann"], component="auth_ldap", itemid=0,
        timemodified=1, modifierid=2,
    )  # fmt: skip
    assert run(sqlite_site, "sysrole1", f"ann;Ann;Smith;-{CREATOR}").counts == {"unchanged": 1}
    assert held(sqlite_site, "ann") == [CREATOR]
