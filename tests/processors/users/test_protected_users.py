"""No file raises anybody: administrators, guest and operator are left alone, and nobody gets a role that configures the site."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from sync.moodle.users.passwords import format_for, hash_password
from sync.runs.options import main_connection, operator_permits
from tests.moodle_sites import MoodleSite
from tests.pictures import data_folder, picture, zip_of
from tests.support import RunResult, run_file

HASH_OF = "Right-1#word"
NOW = {"timecreated": 1, "timemodified": 1}
ALLOWED = {"changes_protected_accounts": True, "assigns_configuring_roles": True}


@dataclass
class Protected:
    """Shape: names: of an administrator, the guest, and the user named as operator, on a site with a second administrator"""

    site: MoodleSite
    names: tuple[str, ...] = ("boss", "guest", "admin")


@pytest.fixture
def protected(sqlite_site: MoodleSite) -> Protected:
    stored = hash_password(HASH_OF, format_for(float(sqlite_site.one("config", name="version")["value"])))
    boss = sqlite_site.insert(
        "user", auth="manual", confirmed=1, mnethostid=1, username="boss", idnumber="B1", firstname="Bo", lastname="Ss",
        email="boss@x.org", lang="en", timezone="99", password=stored,
    )  # fmt: skip
    # The operator, and somebody who is only on the list.
    sqlite_site.execute("UPDATE {config} SET value = :ids WHERE name = 'siteadmins'", ids=str(boss))
    for name in ("guest", "admin"):
        # Their own idnumbers, so that each identity finds them.
        sqlite_site.execute(
            "UPDATE {user} SET idnumber = :n, email = :e, firstname = :n, lastname = :n WHERE username = :n",
            n=name, e=f"{name}@x.org",
        )  # fmt: skip
    sqlite_site.execute("UPDATE {user} SET idnumber = 'boss' WHERE username = 'boss'")
    return Protected(sqlite_site)


def kept(site: MoodleSite, name: str) -> dict[str, str]:
    return {key: str(value or "") for key, value in site.one("user", username=name).items()}


def users_row(site: MoodleSite, name: str, **changed: str) -> str:
    """A row that says what is there, but for what is changed."""
    there = kept(site, name)
    columns = {key: there[key] for key in ("username", "firstname", "lastname", "idnumber")} | changed
    return ";".join(columns) + "\n" + ";".join(columns.values()) + "\n"


CHANGES = [
    {"password": "Mine-now#1"},
    {"password": "*NOPASS*"},
    {"firstname": "Eve"},
    {"lastname": "Fox"},
    {"email": "eve@evil.org"},
    {"auth": "ldap"},
    {"auth": "nologin"},
    {"suspended": "1"},
    {"idnumber": "another"},
    {"city": "Paris"},
    {"description": "<b>x</b>"},
    {"emailstop": "1"},
    {"lang": "en_us"},
    {"profile_field_dept": "Eve's"},
    {"deleted": "1"},
]


@pytest.mark.parametrize("changed", CHANGES, ids=lambda changed: next(iter(changed.items())))
@pytest.mark.parametrize("identity", ["username", "idnumber", "email"])
def test_a_users_file_changes_nothing_of_them(identity: str, changed: dict[str, str], protected: Protected) -> None:
    site = protected.site
    before = site.snapshot()
    if identity == "idnumber" and "idnumber" in changed:
        # With another idnumber the row means somebody else.
        return
    rows = [users_row(site, name, **({"email": f"{name}@x.org"} | changed)) for name in protected.names]
    header = rows[0].split("\n")[0]
    lines = [row.split("\n")[1] for row in rows]
    # The username is read in any case.
    lines += [line.replace(name, name.upper(), 1) for name, line in zip(protected.names, lines, strict=True)]
    text = "\n".join([header, *lines]) + "\n"
    result = run_file(site, "users", text, primaryidentity=identity, protectemails=False, createpasswords=True)
    # Rows that mean nobody because of what they change are rejected for that.
    other = {"account_protected", "username_collision"} if identity in changed else {"account_protected"}
    assert set(result.codes) <= other
    assert len(result.codes) == len(lines)
    assert site.diff(before, site.snapshot()) == {}


def test_rows_that_change_nothing_stay_unchanged(protected: Protected) -> None:
    """So that nightly feeds which hold such people stay quiet."""
    site = protected.site
    before = site.snapshot()
    for name in protected.names:
        text = users_row(site, name, email=f"{name}@x.org")
        assert run_file(site, "users", text, primaryidentity="username").codes == ["account_unchanged"]
        assert run_file(site, "users", text, primaryidentity="username", allowrename=True).codes == [
            "account_unchanged"
        ]
    right = users_row(site, "boss", password=HASH_OF)
    assert run_file(site, "users", right, primaryidentity="username").codes == ["account_unchanged"]
    same = users_row(site, "boss", oldusername="boss")
    assert run_file(site, "users", same, primaryidentity="username", allowrename=True).codes == ["account_unchanged"]
    assert run_file(site, "users_suspend", "username;suspended\nboss;0\n").codes == ["account_unchanged"]
    assert run_file(site, "users_restore", "username\nboss\n").codes == ["account_unchanged"]
    assert site.diff(before, site.snapshot()) == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("users_suspend", "username;suspended\n{};0\n"),
        ("users_restore", "username\n{}\n"),
        ("users", "username;firstname;lastname;suspended\n{};Bo;Ss;0\n"),
    ],
)
def test_a_suspended_administrator_is_opened_in_moodle_only(key: str, text: str, protected: Protected) -> None:
    site = protected.site
    site.execute("UPDATE {user} SET suspended = 1 WHERE username = 'boss'")
    assert run_file(site, key, text.format("boss"), primaryidentity="username").codes == ["account_protected"]
    assert site.one("user", username="boss")["suspended"] == 1


@pytest.mark.parametrize(
    ("key", "text", "options"),
    [
        ("users", "username;firstname;lastname;email;password\nboss;E;F;e@evil.org;Mine-now#1\n", {"resurrect": True}),
        ("users_restore", "username;email\nboss;e@evil.org\n", {}),
    ],
)
def test_a_deleted_user_that_is_still_on_the_list_of_administrators_stays_away(
    key: str, text: str, options: dict[str, Any], protected: Protected
) -> None:
    site = protected.site
    site.execute(
        "UPDATE {user} SET deleted = 1, username = 'boss@x.org.17', email = :e, idnumber = '' WHERE username = 'boss'",
        e=hashlib.md5(b"boss").hexdigest(),
    )
    result = run_file(site, key, text, primaryidentity="username", **options)
    assert result.codes == ["account_protected"]
    assert not site.rows("user", username="boss", deleted=0)


def test_a_picture_is_not_set_for_them(protected: Protected, tmp_path: Path) -> None:
    site, data = protected.site, data_folder(tmp_path / "moodledata")
    content = zip_of({f"{name}.png": picture() for name in (*protected.names, "ann")})
    result = run_file(site, "userpictures", content, filename="userpictures_a.zip", dataroot=data)
    assert sorted(result.codes) == ["account_protected"] * 3 + ["picture_set"]
    assert [site.one("user", username=name)["picture"] for name in protected.names] == [0, 0, 0]


def test_the_operator_may_let_files_change_them_but_not_lock_them_out(protected: Protected) -> None:
    site = protected.site
    text = users_row(site, "boss", city="Paris")
    assert run_file(site, "users", text, primaryidentity="username", permits=ALLOWED).codes == ["account_updated"]
    for row in ({"suspended": "1"}, {"deleted": "1"}):
        text = users_row(site, "boss", **row)
        refused = run_file(site, "users", text, primaryidentity="username", permits=ALLOWED)
        assert refused.codes == ["account_protected"]


def test_only_the_environment_allows_it(settings: Settings) -> None:
    assert operator_permits() == {
        "changes_protected_accounts": False,
        "assigns_configuring_roles": False,
        "writes_unknown_versions": False,
        "tables_left_alone": (),
    }
    settings.TOOLSYNC_MOODLE_CHANGE_PROTECTED_ACCOUNTS = True
    assert main_connection().changes_protected_accounts


CHANGES_BY_TYPE = [
    ("users", "username;firstname;lastname;password\n{0};{0};{0};Mine-now#1\n"),
    ("users", "username;firstname;lastname;oldusername\nother;{0};{0};{0}\n"),
    ("users", "username;firstname;lastname;deleted\n{0};{0};{0};1\n"),
    ("users_suspend", "username\n{0}\n"),
    ("users_delete", "username\n{0}\n"),
]


@pytest.mark.parametrize(("key", "text"), CHANGES_BY_TYPE)
def test_who_may_configure_the_site_by_a_role_is_an_administrator(key: str, text: str, with_role: MoodleSite) -> None:
    ann = with_role.ids["ann"]
    with_role.insert(
        "role_assignments", roleid=with_role.ids["chief"], contextid=1, userid=ann, timemodified=0, modifierid=0,
        component="", itemid=0, sortorder=0,
    )  # fmt: skip
    options: dict[str, Any] = {"allowrename": True} if key == "users" else {}
    for protects in (True, False):
        before = with_role.snapshot()
        codes = run_file(with_role, key, text.format("ann"), primaryidentity="username", **options).codes
        assert (codes == ["account_protected"]) is protects
        assert (with_role.diff(before, with_role.snapshot()) == {}) is protects
        # Where the role is held in a course only, it permits nothing of the site.
        with_role.execute(
            "UPDATE {role_assignments} SET contextid = :c WHERE userid = :u", c=with_role.ids["C1"], u=ann
        )


@pytest.mark.parametrize(("setting", "name"), [("siteguest", "guest"), ("siteadmins", "boss")])
def test_numbers_in_settings_may_have_blanks(setting: str, name: str, protected: Protected) -> None:
    site = protected.site
    value = f" {site.one('user', username=name)['id']} "
    site.execute("UPDATE {config} SET value = :v WHERE name = :n", v=value, n=setting)
    for key, text in CHANGES_BY_TYPE:
        options: dict[str, Any] = {"allowrename": True} if key == "users" else {}
        result = run_file(site, key, text.format(name), primaryidentity="username", **options)
        assert result.codes == ["account_protected"]


# --- roles -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_role(sqlite_site: MoodleSite) -> MoodleSite:
    """A role `chief` that may be given in courses and permits to configure the site."""
    roleid = sqlite_site.insert("role", name="Chief", shortname="chief", description="", sortorder=90, archetype="")
    sqlite_site.insert("role_context_levels", roleid=roleid, contextlevel=50)
    sqlite_site.insert(
        "role_capabilities", contextid=1, roleid=roleid, capability="moodle/site:config", permission=1, timemodified=0,
        modifierid=0,
    )  # fmt: skip
    cohort = sqlite_site.insert(
        "cohort", contextid=1, name="Staff", idnumber="ST", visible=1, descriptionformat=1, **NOW
    )
    sqlite_site.insert("cohort_members", cohortid=cohort, userid=sqlite_site.ids["ann"], timeadded=1)
    sqlite_site.ids["chief"], sqlite_site.ids["ST"] = roleid, cohort
    return sqlite_site


def give(site: MoodleSite, key: str, role: str, **more: object) -> RunResult:
    texts = {
        "enrolments": "cmd;cid;uid;rolename;enrol\nadd;C1;ann;{};manual\n",
        "enrolments roles": "cmd;cid;uid;rolename\nadd;C1;ann;{}\n",
        "enrolments shift": "cmd;cid;uid;rolename;enrol\nshift;C1;ann;{};manual\n",
        "users": "username;firstname;lastname;course1;role1;enrol1\nann;Ann;Smith;C1;{};manual\n",
        "users new": "username;firstname;lastname;course1;role1\nnew;Ann;Smith;C1;{}\n",
        "cohort_courses": "cmd;cohort;course;role\nadd;ST;C1;{}\n",
        "courses": "shortname;fullname;teacher1_account;teacher1_role\nNEW;New;ann;{}\n",
    }
    options = {"users": {"primaryidentity": "username"}, "courses": {"forceupdate": True}}.get(
        key.split(maxsplit=1)[0], {}
    )
    return run_file(site, key.split(maxsplit=1)[0], texts[key].format(role), **options, **more)  # type: ignore[arg-type]


KEYS = ["enrolments", "enrolments roles", "enrolments shift", "users", "users new", "cohort_courses", "courses"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("spelled", ["chief", "CHIEF"])
def test_a_role_that_configures_the_site_is_given_by_no_file(key: str, spelled: str, with_role: MoodleSite) -> None:
    result = give(with_role, key, spelled)
    told = [*result.codes, *(note.code for outcome in result.outcomes for note in outcome.notes)]
    told += [str(outcome.params) for outcome in result.outcomes]
    assert any("role_configures_site" in each for each in told), result.outcomes
    assert not with_role.rows("role_assignments", roleid=with_role.ids["chief"])
    assert not with_role.rows("enrol", roleid=with_role.ids["chief"])


@pytest.mark.parametrize("key", KEYS)
def test_the_operator_may_allow_it(key: str, with_role: MoodleSite) -> None:
    give(with_role, key, "chief", permits=ALLOWED)
    assert with_role.rows("role_assignments", roleid=with_role.ids["chief"])


@pytest.mark.parametrize("key", [key for key in KEYS if key not in ("courses", "users new")])
def test_who_has_such_a_role_keeps_it_and_the_feed_stays_quiet(key: str, with_role: MoodleSite) -> None:
    give(with_role, key, "chief", permits=ALLOWED)
    before = with_role.snapshot()
    assert {outcome.action.value for outcome in give(with_role, key, "chief").outcomes} == {"unchanged"}
    assert with_role.diff(before, with_role.snapshot()) == {}


def test_the_role_can_be_taken_away_and_others_given(with_role: MoodleSite) -> None:
    give(with_role, "enrolments roles", "chief", permits=ALLOWED)
    taken = run_file(with_role, "enrolments", "cmd;cid;uid;rolename\ndel;C1;ann;chief\n")
    assert taken.codes == ["roles_taken_away"]
    assert give(with_role, "enrolments", "manager").codes == ["enrolment_created"]


def test_a_switched_off_link_with_such_a_role_isnt_switched_on(with_role: MoodleSite) -> None:
    give(with_role, "cohort_courses", "chief", permits=ALLOWED)
    run_file(with_role, "cohort_courses", "cmd;cohort;course;role\ndel;ST;C1;chief\n")
    for command in ("restore", "add"):
        text = f"cmd;cohort;course;role\n{command};ST;C1;chief\n"
        assert run_file(with_role, "cohort_courses", text).codes == ["role_configures_site"]
    text = "cmd;cohort;course;role\nrestore;ST;C1;*\n"
    assert run_file(with_role, "cohort_courses", text).codes == ["role_configures_site"]
    assert not with_role.rows("role_assignments", roleid=with_role.ids["chief"])


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("enrolments", "cmd;cid;uid;rolename\nadd;{};ann;manager\n"),
        ("users", "username;firstname;lastname;course1;role1\nann;Ann;Smith;{};manager\n"),
        ("cohort_courses", "cmd;cohort;course;role\nadd;ST;{};manager\n"),
        ("courses", "shortname;fullname;teacher1_account;teacher1_role\n{};Site;ann;manager\n"),
    ],
)
def test_no_file_gives_a_role_on_the_front_page(key: str, text: str, with_role: MoodleSite) -> None:
    """What a manager may do to the whole site (moodle/role:manage) counts there, not in a course."""
    site_course = with_role.one("course", category=0)["shortname"]
    options_by_key: dict[str, dict[str, Any]] = {
        "users": {"primaryidentity": "username"},
        "courses": {"forceupdate": True},
    }
    options = options_by_key.get(key, {})
    result = run_file(with_role, key, text.format(site_course), **options)
    assert {outcome.action.value for outcome in result.outcomes} <= {"rejected", "partial"}
    assert not with_role.rows("role_assignments", userid=with_role.ids["ann"])


@pytest.mark.parametrize("capability", ["moodle/site:config", "moodle/site:doanything"])
@pytest.mark.parametrize("permission", [1, -1, -1000])
def test_it_is_what_the_role_permits_that_counts(permission: int, capability: str, with_role: MoodleSite) -> None:
    with_role.execute(
        "UPDATE {role_capabilities} SET capability = :c, permission = :p WHERE roleid = :r",
        c=capability, p=permission, r=with_role.ids["chief"],
    )  # fmt: skip
    codes = give(with_role, "enrolments", "chief").codes
    assert codes == (["role_configures_site"] if permission == 1 else ["enrolment_created"])
