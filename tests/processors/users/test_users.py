"""The acceptance examples U1 to U16 of the users specification, on every server and Moodle version."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from sync.moodle.users.passwords import verify_password
from tests.support import ANN_PASSWORD, MoodleSite, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:4.1", "mariadb:5.1", "postgresql:5.2", "real:m45pg-seeded")

FIRST_BOB = "username;firstname;lastname;email\nBob.K;Bob;King;bob@x.org\n"


def test_u1_a_new_user_gets_the_defaults_of_the_site(moodle_site: MoodleSite) -> None:
    result = run_file(moodle_site, "users", FIRST_BOB, primaryidentity="username")

    bob = moodle_site.one("user", username="bob.k")
    assert {name: bob[name] for name in ("auth", "confirmed", "maildisplay", "password", "suspended", "deleted")} == {
        "auth": "manual", "confirmed": 1, "maildisplay": 2, "password": "", "suspended": 0, "deleted": 0,
    }  # fmt: skip
    context = moodle_site.one("context", contextlevel=30, instanceid=bob["id"])
    assert (context["path"], context["depth"]) == (f"/1/{context['id']}", 2)
    assert moodle_site.rows("user_preferences", userid=bob["id"]) == []
    assert result.counts == {"created": 1}
    assert "bob.k: user added" in result.report
    assert result.tryback is None


def test_u2_created_passwords_are_left_to_moodle(moodle_site: MoodleSite) -> None:
    run_file(moodle_site, "users", FIRST_BOB, primaryidentity="username", createpasswords=True)

    bob = moodle_site.one("user", username="bob.k")
    preferences = {row["name"]: row["value"] for row in moodle_site.rows("user_preferences", userid=bob["id"])}
    assert preferences == {"create_password": "1", "auth_forcepasswordchange": "1"}


ANN_WITH_NEW_MAIL = "username;idnumber;firstname;lastname;email\nann;A1;Anna;Smith;new@x.org\n"


def test_u3_a_protected_address_stays_and_the_rest_is_updated(moodle_site: MoodleSite) -> None:
    before = moodle_site.one("user", id=moodle_site.ids["ann"])

    result = run_file(moodle_site, "users", ANN_WITH_NEW_MAIL)

    ann = moodle_site.one("user", id=moodle_site.ids["ann"])
    assert (ann["firstname"], ann["lastname"], ann["email"]) == ("Anna", "Smith", "ann@x.org")
    assert (ann["city"], ann["password"]) == ("Lyon", before["password"])
    assert result.counts == {"updated": 1}
    assert result.tryback is None


def test_u4_an_unprotected_address_is_updated(moodle_site: MoodleSite) -> None:
    run_file(moodle_site, "users", ANN_WITH_NEW_MAIL, protectemails=False)

    assert moodle_site.one("user", id=moodle_site.ids["ann"])["email"] == "new@x.org"


def test_u5_another_idnumber_is_a_collision(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    line = "ann;ZZ;Ann;Smith"

    result = run_file(moodle_site, "users", f"username;idnumber;firstname;lastname\n{line}\n")

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert result.codes == ["username_collision"]
    assert result.tryback is not None
    header, failed = result.tryback.decode().splitlines()
    assert header == "username;idnumber;firstname;lastname;_line;_code;_reason"
    assert failed.startswith(f"{line};2;username_collision;")


@pytest.mark.parametrize("identity", ["idnumber", "username", "email", "id"])
def test_u6_only_a_one_deletes_and_nobody_is_made_to_be_deleted(moodle_site: MoodleSite, identity: str) -> None:
    before = moodle_site.snapshot()
    text = "username;firstname;lastname;deleted\nann;Ann;Smith;0\nghost;G;H;1\n"

    result = run_file(moodle_site, "users", text, primaryidentity=identity)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert result.codes == ["account_unchanged", "nothing_to_delete"]


def test_u7_deleting_takes_everything_that_hangs_on_the_user(moodle_site: MoodleSite) -> None:
    ann = moodle_site.ids["ann"]
    moodle_site.insert("user_preferences", userid=ann, name="htmleditor", value="tiny")
    text = "username;firstname;lastname;course1;role1;enrol1;group1;cohort\nann;Ann;Smith;C1;student;manual;G1;CO1\n"
    run_file(moodle_site, "users", text, primaryidentity="username")
    assert moodle_site.rows("groups_members", userid=ann)

    text = "username;firstname;lastname;deleted\nann;Ann;Smith;1\n"
    result = run_file(moodle_site, "users", text, primaryidentity="username")

    row = moodle_site.one("user", id=ann)
    assert (row["deleted"], row["idnumber"], row["picture"]) == (1, "", 0)
    assert row["username"].startswith("ann@x.org.")
    assert len(row["username"]) == len("ann@x.org.") + 10
    assert row["email"] == hashlib.md5(b"ann").hexdigest()
    for table in (
        "groups_members", "cohort_members", "user_enrolments", "role_assignments", "user_preferences", "user_info_data",
    ):  # fmt: skip
        assert moodle_site.rows(table, userid=ann) == [], table
    assert result.counts == {"deleted": 1}


U8 = (
    "username;firstname;lastname;course1;role1;enrol1;group1;start1;end1;course2;role2\n"
    "bob;Bob;K;C1;student;manual;G1;1700000000;0;C99;student\n"
)


def test_u8_course_sets_enrol_and_the_unknown_course_is_fed_back(moodle_site: MoodleSite) -> None:
    result = run_file(moodle_site, "users", U8, primaryidentity="username")

    bob = moodle_site.one("user", username="bob")["id"]
    enrolment = moodle_site.one("user_enrolments", userid=bob)
    assert (enrolment["enrolid"], enrolment["status"], enrolment["timestart"], enrolment["timeend"]) == (
        moodle_site.ids["C1 manual"], 0, 1700000000, 0,
    )  # fmt: skip
    assignment = moodle_site.one("role_assignments", userid=bob)
    assert (assignment["roleid"], assignment["contextid"], assignment["component"], assignment["itemid"]) == (
        5, moodle_site.ids["C1 context"], "", 0,
    )  # fmt: skip
    group = moodle_site.one("groups", courseid=moodle_site.ids["C1"], name="G1")
    assert moodle_site.one("groups_members", userid=bob, groupid=group["id"])["component"] == ""
    assert result.codes == ["course_unknown"]
    assert result.tryback is not None
    assert result.tryback.count(b"bob;Bob;K;C1") == 1

    before = moodle_site.snapshot()
    run_file(moodle_site, "users", U8, primaryidentity="username")
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_u9_renaming_needs_its_source(moodle_site: MoodleSite) -> None:
    text = "username;oldusername;firstname;lastname\nann2;ann;Ann;Smith\nx;nobody;X;Y\n"

    result = run_file(moodle_site, "users", text, primaryidentity="username", allowrename=True)

    assert moodle_site.one("user", id=moodle_site.ids["ann"])["username"] == "ann2"
    assert moodle_site.rows("user", username="x") == []
    assert result.codes == ["account_renamed", "rename_source_missing"]
    assert result.tryback is not None
    assert b"x;nobody;X;Y;3;rename_source_missing;" in result.tryback

    again = run_file(moodle_site, "users", text, primaryidentity="username", allowrename=True)
    assert again.codes == ["account_unchanged", "rename_source_missing"]


def test_u10_password_profile_field_and_cohort(moodle_site: MoodleSite) -> None:
    text = "username;firstname;lastname;password;profile_field_dept;cohort;cohortid\nbob;Bob;K;Secret#1;Math;CO1;c-1\n"

    result = run_file(moodle_site, "users", text, primaryidentity="username")

    bob = moodle_site.one("user", username="bob")
    assert bob["password"].startswith("$2y$10$" if moodle_site.version == "4.1" else "$6$rounds=10000$")
    assert verify_password("Secret#1", bob["password"])
    preference = moodle_site.one("user_preferences", userid=bob["id"])
    assert (preference["name"], preference["value"]) == ("auth_manual_passwordupdatetime", str(bob["timecreated"]))
    assert moodle_site.one("user_info_data", userid=bob["id"])["data"] == "Math"
    cohort = moodle_site.one("cohort", idnumber="c-1")
    assert (cohort["name"], cohort["contextid"]) == ("CO1", 1)
    assert moodle_site.one("cohort_members", cohortid=cohort["id"])["userid"] == bob["id"]
    assert "Secret#1" not in result.report
    assert "Secret#1" not in repr(result.outcomes)


def test_u11_an_empty_password_never_destroys_one(moodle_site: MoodleSite) -> None:
    ann_before = moodle_site.one("user", id=moodle_site.ids["ann"])
    text = "username;firstname;lastname;email;password\nann;Ann;S;ann@x.org;\nbob;Bob;K;bob@x.org;\n"

    run_file(moodle_site, "users", text, primaryidentity="username")

    ann = moodle_site.one("user", id=moodle_site.ids["ann"])
    assert ann["password"] == ann_before["password"]
    assert moodle_site.rows("user_preferences", userid=ann["id"]) == []
    bob = moodle_site.one("user", username="bob")
    assert bob["password"] == "to be generated"
    assert moodle_site.one("user_preferences", userid=bob["id"])["name"] == "create_password"


def test_u12_a_simulation_says_what_the_run_does_and_writes_nothing(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()

    simulated = run_file(moodle_site, "users", U8, primaryidentity="username", simulate=True)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert "SIMULATION : " in simulated.report
    assert simulated.tryback is None
    real = run_file(moodle_site, "users", U8, primaryidentity="username")
    assert simulated.outcomes == real.outcomes


def test_u13_a_list_deletes_users_and_refuses_an_empty_identity(moodle_site: MoodleSite) -> None:
    result = run_file(moodle_site, "users_delete", "username;idnumber\nann;A1\nadmin;\n")

    assert moodle_site.one("user", id=moodle_site.ids["ann"])["deleted"] == 1
    assert moodle_site.one("user", username="admin")["deleted"] == 0
    assert result.codes == ["account_deleted", "identity_empty"]
    assert result.tryback is not None
    assert b"\nadmin;;3;identity_empty;" in result.tryback


def test_u14_the_same_file_twice_changes_nothing(moodle_site: MoodleSite) -> None:
    run_file(moodle_site, "users", FIRST_BOB, primaryidentity="username")
    before = moodle_site.snapshot()

    result = run_file(moodle_site, "users", FIRST_BOB, primaryidentity="username")

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert result.counts == {"unchanged": 1}


def test_u15_suspending_leaves_enrolments_and_ends_sessions(moodle_site: MoodleSite) -> None:
    ann = moodle_site.ids["ann"]
    text = "username;firstname;lastname;course1;role1;enrol1\nann;Ann;Smith;C1;student;manual\n"
    run_file(moodle_site, "users", text, primaryidentity="username")
    moodle_site.insert("sessions", sid="s1", userid=ann, state=0, timecreated=1, timemodified=1)
    enrolments = moodle_site.rows("user_enrolments", userid=ann)

    result = run_file(moodle_site, "users_suspend", "username\nann\n", primaryidentity="username")

    row = moodle_site.one("user", id=ann)
    assert row["suspended"] == 1
    assert row["timemodified"] >= result.started
    assert moodle_site.rows("user_enrolments", userid=ann) == enrolments
    assert moodle_site.rows("sessions", userid=ann) == []
    again = run_file(moodle_site, "users_suspend", "username\nann\n", primaryidentity="username")
    assert again.counts == {"unchanged": 1}


def test_u16_profile_fields_by_their_type(moodle_site: MoodleSite) -> None:
    text = "username;idnumber;firstname;lastname;profile_field_bio;profile_field_col\nann;A1;Ann;S;<p>x</p>;\n"

    run_file(moodle_site, "users", text)

    data = {row["fieldid"]: row for row in moodle_site.rows("user_info_data", userid=moodle_site.ids["ann"])}
    bio, colour = data[moodle_site.ids["bio"]], data[moodle_site.ids["col"]]
    assert (bio["data"], bio["dataformat"]) == ("<p>x</p>", 1)
    assert colour["data"] == "Green"


# --- beyond the examples ------------------------------------------------------------------------------------------------


def test_the_stored_password_is_kept_when_it_verifies(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    text = f"username;firstname;lastname;password\nann;Ann;Smith;{ANN_PASSWORD}\n"

    result = run_file(moodle_site, "users", text, primaryidentity="username")

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert result.counts == {"unchanged": 1}


@pytest.mark.parametrize("name", ["guest", "admin"])
@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("users", "username;firstname;lastname;deleted\n{};G;U;1\n"),
        ("users", "username;firstname;lastname;suspended\n{};G;U;1\n"),
        ("users", "oldusername;username;firstname;lastname\n{};renamed;G;U\n"),
        ("users_delete", "username\n{}\n"),
        ("users_suspend", "username\n{}\n"),
    ],
)
def test_nobody_locks_out_the_guest_or_an_administrator(
    sqlite_site: MoodleSite, key: str, text: str, name: str
) -> None:
    before = sqlite_site.snapshot()
    options: dict[str, Any] = {"primaryidentity": "username"} | ({"allowrename": True} if key == "users" else {})

    result = run_file(sqlite_site, key, text.format(name), **options)

    assert result.codes == ["account_protected"]
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


@pytest.mark.parametrize(
    ("header", "cells", "code", "column"),
    [
        ("username;firstname;lastname", "bad name;A;B", "username_invalid", "username"),
        ("username;firstname;lastname", "x;;B", "cell_empty", "firstname"),
        ("username;firstname;lastname", "x;" + "A" * 101 + ";B", "value_too_long", "firstname"),
        ("username;firstname;lastname;country", "x;A;B;XX", "country_unknown", "country"),
        ("username;firstname;lastname;lang", "x;A;B;klingon", "language_unknown", "lang"),
        ("username;firstname;lastname;timezone", "x;A;B;Mars/Base", "timezone_unknown", "timezone"),
        ("username;firstname;lastname;auth", "x;A;B;nosuch", "auth_unknown", "auth"),
        ("username;firstname;lastname;email", "x;A;B;nobody", "value_not_email", "email"),
        ("username;firstname;lastname;email", "x;A;B;ANN@x.org", "email_taken", "email"),
        ("username;firstname;lastname;idnumber", "x;A;B;A1", "username_differs", "username"),
        ("username;firstname;lastname;suspended", "x;A;B;maybe", "value_not_flag", "suspended"),
        ("username;firstname;lastname", "x;A;B;C", "too_many_cells", ""),
    ],
)
def test_a_bad_cell_rejects_its_row_and_names_its_column(
    sqlite_site: MoodleSite, header: str, cells: str, code: str, column: str
) -> None:
    result = run_file(sqlite_site, "users", f"{header}\n{cells}\ngood;G;H\n")

    assert result.codes == [code, "account_created"]
    assert result.outcomes[0].params["column"] == column
    assert sqlite_site.rows("user", username="x") == []
    assert "line 2" in result.report


def test_two_users_with_one_identity_are_ambiguous(sqlite_site: MoodleSite) -> None:
    for username in ("twin1", "twin2"):
        sqlite_site.insert("user", username=username, mnethostid=1, idnumber="TWIN", firstname="T", lastname="W")

    result = run_file(sqlite_site, "users", "username;idnumber;firstname;lastname\ntwin1;TWIN;T;W\n")

    assert result.codes == ["account_ambiguous"]


def test_rows_of_one_user_are_folded_in_file_order(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;city\n"
        "ann;Ann;Smith;Paris\n"
        "ann;Ann;Smith;Rome\n"
        "new;N;E;Oslo\n"
        "new;N;E;Bergen\n"
    )  # fmt: skip

    result = run_file(sqlite_site, "users", text, primaryidentity="username")

    assert [outcome.action.value for outcome in result.outcomes] == ["updated", "updated", "created", "updated"]
    assert sqlite_site.one("user", username="ann")["city"] == "Rome"
    assert sqlite_site.one("user", username="new")["city"] == "Bergen"


def test_a_row_that_deletes_what_an_earlier_row_made_sees_it(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;deleted\nnew;N;E;\nnew;N;E;1\nnew;N;E;\n"

    result = run_file(sqlite_site, "users", text, primaryidentity="username")

    assert [outcome.action.value for outcome in result.outcomes] == ["created", "deleted", "created"]
    assert len(sqlite_site.rows("user", username="new")) == 1


def test_a_simulation_sees_what_its_earlier_chunks_would_have_made(sqlite_site: MoodleSite) -> None:
    text = "username;oldusername;firstname;lastname;cohort\nnew;;N;E;CO\nann2;ann;Ann;Smith;CO\nnew;;N;X;CO\nann2;;Ann;Smith;CO\n"
    options: dict[str, Any] = {"primaryidentity": "username", "allowrename": True, "chunk_rows": 1}

    simulated = run_file(sqlite_site, "users", text, simulate=True, **options)
    real = run_file(sqlite_site, "users", text, **options)

    assert simulated.outcomes == real.outcomes
    assert [outcome.action.value for outcome in real.outcomes] == ["created", "updated", "updated", "unchanged"]


def test_a_deleted_user_is_brought_back_by_the_restore_list(moodle_site: MoodleSite) -> None:
    run_file(moodle_site, "users_delete", "username\nann\n", primaryidentity="username")

    text = "username;email;idnumber\nann;ann@x.org;A1\n"
    result = run_file(moodle_site, "users_restore", text, primaryidentity="username")

    ann = moodle_site.one("user", id=moodle_site.ids["ann"])
    assert (ann["deleted"], ann["username"], ann["email"], ann["idnumber"]) == (0, "ann", "ann@x.org", "A1")
    assert moodle_site.one("user_preferences", userid=ann["id"])["name"] == "create_password"
    assert result.codes == ["account_resurrected"]
    again = run_file(moodle_site, "users_restore", text, primaryidentity="username")
    assert again.counts == {"unchanged": 1}


def test_resurrect_brings_back_a_deleted_user_instead_of_making_one(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "users_delete", "username\nann\n", primaryidentity="username")

    text = "username;firstname;lastname;email\nann;Ann;Again;ann@x.org\n"
    result = run_file(sqlite_site, "users", text, primaryidentity="username", resurrect=True)

    assert result.codes == ["account_resurrected"]
    assert [row["id"] for row in sqlite_site.rows("user", username="ann")] == [sqlite_site.ids["ann"]]


def test_a_user_restored_or_reactivated_twice_is_unchanged(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "users_suspend", "username\nann\n", primaryidentity="username")

    opened = run_file(sqlite_site, "users_restore", "username\nann\n", primaryidentity="username")
    again = run_file(sqlite_site, "users_restore", "username\nann\n", primaryidentity="username")

    assert (opened.codes, again.codes) == (["account_reactivated"], ["account_unchanged"])


def test_deleting_twice_is_harmless(sqlite_site: MoodleSite) -> None:
    first = run_file(sqlite_site, "users_delete", "username\nann\nghost\n", primaryidentity="username")
    second = run_file(sqlite_site, "users_delete", "username\nann\nghost\n", primaryidentity="username")

    assert first.codes == ["account_deleted", "account_unknown"]
    assert second.codes == ["account_already_deleted", "account_unknown"]


def test_a_list_may_have_only_the_identity_column(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "users_suspend", "email\nANN@x.org\n", primaryidentity="email")

    assert result.codes == ["account_suspended"]


def test_the_number_of_queries_does_not_grow_with_the_rows(moodle_site: MoodleSite) -> None:
    def text(rows: int, first: int) -> str:
        lines = [f"q{n};F;L;q{n}@x.org;Q{n}" for n in range(first, first + rows)]
        return "username;firstname;lastname;email;idnumber\n" + "\n".join(lines)

    few = run_file(moodle_site, "users", text(10, 0))
    one_chunk = run_file(moodle_site, "users", text(1000, 1000))
    two_chunks = run_file(moodle_site, "users", text(2000, 2000))

    assert one_chunk.counts == {"created": 1000}
    assert one_chunk.queries == few.queries
    # What a run asks once (reflection, settings) cancels out.
    assert two_chunks.queries - one_chunk.queries <= 20


def test_the_password_goes_to_its_owner_only_when_it_is_new(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;password;email\n"
        f"ann;Ann;Smith;{ANN_PASSWORD};ann@x.org\n"
        "bob;Bob;K;Secret#1;bob@x.org\n"
        "cid;Cid;K;Secret#2;NO MAIL\n"
        "dan;Dan;K;Secret#3;NOMAIL <dan@x.org>\n"
        "bru;Bruno;Maillard;Secret#4;brunomaillard@univ.fr\n"
        "eli;Eli;K;Secret#5;nomail@technomail.fr\n"
    )

    result = run_file(sqlite_site, "users", text, primaryidentity="username", sendpasswordtousers=True)

    assert [mail.to for mail in result.mails] == ["bob@x.org", "brunomaillard@univ.fr", "nomail@technomail.fr"]
    assert "Secret#1" in result.mails[0].body
    assert run_file(sqlite_site, "users", text, primaryidentity="username", sendpasswordtousers=True).mails == []


# --- several rows of one user ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells", ["CO;;;;Lyon;;", ";C1;student;manual;Lyon;;", ";;;;Lyon;Maths;", ";;;;Lyon;;Secret#1"]
)
def test_a_deleted_user_keeps_nothing_that_an_earlier_row_gave_it(sqlite_site: MoodleSite, cells: str) -> None:
    header = "username;firstname;lastname;cohort;course1;role1;enrol1;city;profile_field_dept;password;deleted\n"
    text = f"{header}ann;Ann;Smith;{cells};\nann;Ann;Smith;;;;;;;;1\n"

    result = run_file(sqlite_site, "users", text, primaryidentity="username")

    assert [outcome.action.value for outcome in result.outcomes] == ["updated", "deleted"]
    ann = sqlite_site.ids["ann"]
    for table in ("cohort_members", "user_enrolments", "role_assignments", "user_info_data", "user_preferences"):
        assert sqlite_site.rows(table, userid=ann) == []


CHANGING_MINDS = (
    "username;firstname;lastname;email;city;password;profile_field_dept;suspended\n"
    "ann;Ann;Smith;ann@x.org;Paris;First#1;Maths;1\n"
    "ann;Ann;Smith;ann@x.org;Rome;Second#2;Physics;0\n"
    "bob;Bob;King;bob@x.org;Oslo;First#1;;\n"
    "bob;Bob;King;bob@x.org;Bergen;Second#2;;\n"
)


def test_rows_that_take_back_each_other_are_harmless_the_second_time(moodle_site: MoodleSite) -> None:
    options: dict[str, Any] = {"primaryidentity": "username", "sendpasswordtousers": True}
    first = run_file(moodle_site, "users", CHANGING_MINDS, **options)
    assert [outcome.action.value for outcome in first.outcomes] == ["updated", "updated", "created", "updated"]
    assert [(mail.to, "Second#2" in mail.body) for mail in first.mails] == [("ann@x.org", True), ("bob@x.org", True)]
    ann = moodle_site.one("user", username="ann")
    assert verify_password("Second#2", ann["password"])
    moodle_site.insert("sessions", sid="s1", userid=ann["id"], state=0, timecreated=1, timemodified=1)
    before = moodle_site.snapshot()

    second = run_file(moodle_site, "users", CHANGING_MINDS, **options)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    # Each row says what it would be in file order; that nothing is left of it, the database shows.
    assert second.codes == ["account_updated"] * 4
    assert second.mails == []


def test_a_new_password_ends_the_sessions_and_where_the_site_says_so_the_tokens(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {config} SET value = '1' WHERE name = 'passwordchangetokendeletion'")
    ann = sqlite_site.ids["ann"]
    sqlite_site.insert("sessions", sid="s1", userid=ann, state=0, timecreated=1, timemodified=1)
    sqlite_site.insert(
        "external_tokens", token="t", tokentype=0, userid=ann, externalserviceid=1, contextid=1, creatorid=2, timecreated=1
    )  # fmt: skip

    run_file(sqlite_site, "users", "username;firstname;lastname;password\nann;Ann;Smith;New#1\n")

    assert sqlite_site.rows("sessions", userid=ann) == []
    assert sqlite_site.rows("external_tokens", userid=ann) == []


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_deleted_user_is_resurrected_by_a_later_row_of_the_same_file(
    sqlite_site: MoodleSite, chunk_rows: int
) -> None:
    text = "username;firstname;lastname;deleted\nann;Ann;Smith;1\nann;Ann;Again;\n"

    result = run_file(sqlite_site, "users", text, primaryidentity="username", resurrect=True, chunk_rows=chunk_rows)

    assert result.codes == ["account_deleted", "account_resurrected"]
    assert sqlite_site.one("user", username="ann")["id"] == sqlite_site.ids["ann"]


# --- cells that are not what they seem ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "code", "column"),
    [
        ("username;firstname;lastname", "x;<b></b>;B", "cell_unseen", "firstname"),
        ("username;firstname;lastname;course1;start1", f"x;A;B;C1;{'9' * 5000}", "value_not_time", "start1"),
        ("username;firstname;lastname;mnethostid", f"x;A;B;{'9' * 5000}", "value_out_of_range", "mnethostid"),
        ("username;firstname;lastname;maildisplay", "x;A;B;0_1", "value_not_number", "maildisplay"),
        ("username;firstname;lastname;description", f"x;A;B;{'d' * 1_000_001}", "value_too_long", "description"),
        ("username;firstname;lastname;mnethostid", "x;A;B;77", "mnethost_unknown", "mnethostid"),
        ("username;firstname;lastname;password", f"x;A;B;{'p' * 129}", "password_too_long", "password"),
    ],
)
def test_a_strange_cell_rejects_its_row_and_is_not_repeated_in_full(
    sqlite_site: MoodleSite, header: str, cells: str, code: str, column: str
) -> None:
    result = run_file(sqlite_site, "users", f"{header}\n{cells}\ngood;G;H\n")

    assert result.codes == [code, "account_created"]
    assert result.outcomes[0].params["column"] == column
    assert len(result.report) < 2000


def test_a_unique_profile_field_is_compared_as_it_is_stored(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {user_info_field} SET forceunique = 1, datatype = 'datetime' WHERE shortname = 'dept'")
    first = run_file(sqlite_site, "users", "username;firstname;lastname;profile_field_dept\none;O;N;6 May 1980\n")
    assert first.codes == ["account_created"]

    second = run_file(sqlite_site, "users", "username;firstname;lastname;profile_field_dept\ntwo;T;W;1980-05-06\n")

    assert second.codes == ["profile_value_taken"]
    assert sqlite_site.rows("user", username="two") == []


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
@pytest.mark.parametrize("simulate", [True, False])
def test_a_unique_profile_field_belongs_to_one_user_in_any_chunk(
    sqlite_site: MoodleSite, chunk_rows: int, *, simulate: bool
) -> None:
    sqlite_site.execute("UPDATE {user_info_field} SET forceunique = 1 WHERE shortname = 'dept'")
    header = "username;firstname;lastname;profile_field_dept;deleted"
    run_file(sqlite_site, "users", f"{header}\none;O;N;X1;\ngone;G;O;X2;\n")

    rows = ("one;O;N;X3;", "two;T;W;X1;", "gone;G;O;;1", "three;T;H;X2;", "four;F;O;X1;", "two;T;W;X4;", "five;F;I;X1;")
    result = run_file(
        sqlite_site, "users", "\n".join((header, *rows, "")), chunk_rows=chunk_rows, simulate=simulate
    )  # fmt: skip

    assert result.codes == [
        "account_updated", "account_created", "account_deleted", "account_created", "profile_value_taken",
        "account_updated", "account_created",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "moodle_site", [pytest.param("mariadb:4.5", marks=pytest.mark.xdist_group("mariadb:4.5"))], indirect=True
)
def test_texts_that_are_too_long_for_one_statement_together_are_written(moodle_site: MoodleSite) -> None:
    names = [f"long{number}" for number in range(200)]
    run_file(moodle_site, "users", "username;firstname;lastname\n" + "".join(f"{name};A;B\n" for name in names))
    rows = "".join(f"{name};A;B;{name}{'d' * 100_000}\n" for name in names)

    result = run_file(moodle_site, "users", f"username;firstname;lastname;description\n{rows}")

    assert result.counts == {"updated": 200}
    assert moodle_site.one("user", username="long199")["description"].startswith("long199d")


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_second_row_that_changes_how_a_new_user_logs_in_is_the_same_in_any_chunk(
    sqlite_site: MoodleSite, chunk_rows: int
) -> None:
    sqlite_site.insert("config_plugins", plugin="auth_ldap", name="preventpassindb", value="1")
    text = "username;firstname;lastname;auth;password\nnew;N;E;manual;\nnew;N;E;ldap;\n"

    result = run_file(sqlite_site, "users", text, chunk_rows=chunk_rows, primaryidentity="username")

    assert result.codes == ["account_created", "account_updated"]
    assert sqlite_site.one("user", username="new")["password"] == "to be generated"
    assert result.outcomes[1].notes == ()
