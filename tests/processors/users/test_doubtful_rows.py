"""Rows that may be about somebody else than they name: rejected where a wrong person would be hit, said where it may be meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import MoodleSite, run_file

PEOPLE = "username;firstname;lastname;email;idnumber\np1;Ann;Lee;p1@x.org;ID1\np2;Bo;Kim;p2@x.org;ID2\np3;Cy;Day;p3@x.org;ID3\n"


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    assert run_file(sqlite_site, "users", PEOPLE).counts == {"created": 3}
    return sqlite_site


def deleted(site: MoodleSite) -> list[str]:
    return [row["username"][:2] for row in site.rows("user", deleted=1)]


@pytest.mark.parametrize("key", ["users_delete", "users_suspend"])
def test_a_row_that_names_two_people_hits_nobody(site: MoodleSite, key: str) -> None:
    text = "idnumber;username;id;email\nID1;p2;;\nID2;P2;;other@x.org\nID3;p3;1;\n"
    result = run_file(site, key, text)
    assert [outcome.action.value for outcome in result.outcomes].count("rejected") == 2
    assert {o.line: o.code for o in result.outcomes if o.action.value == "rejected"} == {
        2: "identities_differ", 4: "identities_differ",
    }  # fmt: skip
    assert "whose username is “p1” and not “p2”" in result.report


@pytest.mark.parametrize("key", ["users_delete", "users_suspend"])
def test_a_row_with_an_address_or_idnumber_of_somebody_else_hits_nobody(site: MoodleSite, key: str) -> None:
    """A column that was sorted without the one beside it; addresses that nobody has may be newer, or older."""
    site.execute("UPDATE {user} SET idnumber = '' WHERE username = 'p3'")
    text = "username;email;idnumber\np1;p2@x.org;\np2;P2@X.org;\np3;;ID1\np3;other@x.org;ID9\n"
    result = run_file(site, key, text, primaryidentity="username")
    refused = {o.line: (o.code, o.params["column"]) for o in result.outcomes if o.action.value == "rejected"}
    assert refused == {2: ("identities_differ", "email"), 4: ("identities_differ", "idnumber")}
    assert "whose email is “p1@x.org” and not “p2@x.org”" in result.report


def test_what_moodle_does_not_know_of_a_user_contradicts_nothing(site: MoodleSite) -> None:
    site.execute("UPDATE {user} SET idnumber = '' WHERE username = 'p1'")
    result = run_file(site, "users_delete", "username;idnumber\np1;ID1\n", primaryidentity="username")
    assert result.counts == {"deleted": 1}


def test_a_restored_user_may_get_other_values(site: MoodleSite) -> None:
    run_file(site, "users_suspend", "username\np1\n")
    result = run_file(site, "users_restore", "username;idnumber\np1;NEW1\n", primaryidentity="username")
    assert result.counts == {"updated": 1}


def test_the_column_deleted_looks_at_the_username_too(site: MoodleSite) -> None:
    text = "username;firstname;lastname;idnumber;deleted\np2;Ann;Lee;ID1;1\nP3;Cy;Day;ID3;1\n"
    result = run_file(site, "users", text)
    assert result.counts == {"rejected": 1, "deleted": 1}
    assert deleted(site) == ["p3"]


def test_nobody_is_made_beside_the_user_whose_new_name_is_given(site: MoodleSite) -> None:
    text = "username;firstname;lastname;oldusername\np1new;Ann;Lee;p1\np2;Bo;Kim;p9\np4;Di;Fox;\np5;Ed;Fox;P5\n"
    result = run_file(site, "users", text, primaryidentity="username")
    assert result.counts == {"rejected": 1, "unchanged": 1, "created": 2}
    assert [outcome.line for outcome in result.outcomes if outcome.code == "rename_off"] == [2]
    assert site.rows("user", username="p1new") == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("p2;p9;Ann;Lee;ID9", "rename_source_missing"),
        ("p9;p2;Ann;Lee;ID9", "rename_of_another"),
        ("p2;p9;Bo;Lee;ID2", "account_updated"),
        ("p2;p9;Bo;Lee;", "account_updated"),
        ("p9;p2;Bo;Kim;ID2", "account_renamed"),
    ],
)
def test_a_rename_of_somebody_else_changes_nobody(site: MoodleSite, row: str, code: str) -> None:
    before = site.rows("user")
    result = run_file(site, "users", f"username;oldusername;firstname;lastname;idnumber\n{row}\n", allowrename=True)
    assert result.codes == [code]
    assert (site.rows("user") == before) == code.startswith("rename")
    if code.startswith("rename"):
        assert "the user with idnumber “ID2”, not “ID9”" in result.report


def test_a_missing_source_names_who_has_the_new_name_by_other_identities(site: MoodleSite) -> None:
    text = "username;oldusername;firstname;lastname;{0}\np2;p9;Ann;Lee;{1}\n"
    number = site.one("user", username="p2")["id"]
    for identity, other, own in (("email", "p9@x.org", "P2@x.org"), ("id", str(number + 1), str(number))):
        chosen: dict[str, Any] = {"allowrename": True, "primaryidentity": identity}
        assert run_file(site, "users", text.format(identity, other), **chosen).codes == ["rename_source_missing"]
        assert run_file(site, "users", text.format(identity, own), **chosen).counts.keys() <= {"updated", "unchanged"}


@pytest.mark.parametrize("key", ["users", "users_delete", "users_suspend"])
def test_who_has_no_idnumber_in_moodle_leaves_by_his_username(site: MoodleSite, key: str) -> None:
    site.execute("UPDATE {user} SET idnumber = '' WHERE username = 'p1'")
    text = "username;idnumber\np1;NEW1\nP2;NEW2\n"
    if key == "users":
        text = "username;idnumber;firstname;lastname;deleted\np1;NEW1;Ann;Lee;1\nP2;NEW2;Bo;Kim;1\nnobody;X;A;B;1\n"
    result = run_file(site, key, text)
    assert {o.line: o.code for o in result.outcomes} == {
        2: "account_suspended" if key == "users_suspend" else "account_deleted",
        3: "username_collision",
        **({4: "nothing_to_delete"} if key == "users" else {}),
    }
    assert "“p2” is the user with idnumber “ID2”" in result.report
    assert result.tryback is not None


def test_an_id_that_is_gone_deletes_nobody_of_the_same_name(site: MoodleSite) -> None:
    text = "username;id;firstname;lastname;deleted\np1;999999;Ann;Lee;1\n"
    assert run_file(site, "users", text, primaryidentity="id").codes == ["username_collision"]
    assert run_file(site, "users_delete", "username;id\np1;999999\n", primaryidentity="id").codes == [
        "username_collision"
    ]


def test_what_is_made_like_a_list_is_said_at_the_top(site: MoodleSite) -> None:
    head = "username;firstname;lastname;course1;enrol1;group1;cohort"
    result = run_file(
        site, "users", f"{head}\np1;Ann;Lee;C1;manual;TD1, TD2;\np2;Bo;Kim;;;;K1|K2\np3;Cy;Day;;;;K1|K2\n"
    )
    assert {note.code: note.params for note in result.notes}["made_like_list_in_rows"] == {"count": 2, "line": 2}
    result = run_file(site, "users", f"{head}\np1;Ann;Lee;C1;manual;TD1, TD2;\n")
    assert "made_like_list_in_rows" not in {note.code for note in result.notes}


def test_an_empty_cell_suspends_nobody(site: MoodleSite) -> None:
    result = run_file(site, "users_suspend", "username;suspended\np1;\np2;1\np3;\n", primaryidentity="username")
    assert result.counts == {"unchanged": 2, "updated": 1}
    assert [user["username"] for user in site.rows("user", suspended=1)] == ["p2"]
    assert {note.code: note.params for note in result.notes}["suspended_empty_in_rows"] == {"count": 2, "line": 2}
    result = run_file(site, "users_suspend", "username\np1\n", primaryidentity="username")
    assert result.codes == ["account_suspended"]


def test_exchanged_names_are_said_at_the_top(site: MoodleSite) -> None:
    text = "username;lastname;firstname\np1;Ann;Lee\np2;Bo;Kim\np3;Day;Cy\n"
    result = run_file(site, "users", text)
    said = {note.code: note.params for note in result.notes}
    assert said["names_exchanged_in_rows"] == {"count": 2, "line": 2}
    assert [len(outcome.notes) for outcome in result.outcomes] == [1, 1, 0]


def test_two_people_of_one_username_are_said_at_the_top(site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;idnumber\nnew;Ann;One;X1\nNew;Bob;Two;X2\nnew;Bob;Two;X2\n"
        + 2 * "p1;Ann;Lee;ID1\n"
    )
    for chunk_rows in (1, 100):
        site.restore_template()
        result = run_file(site, "users", PEOPLE)
        result = run_file(site, "users", text, primaryidentity="username", chunk_rows=chunk_rows)
        said = {note.code: note.params for note in result.notes}
        assert said["user_in_earlier_line_in_rows"] == {"count": 1, "line": 3}
        assert "line 2 of this file names the same user" in result.report


def test_days_beside_an_end_are_said_to_count_for_nothing(site: MoodleSite) -> None:
    head = "username;firstname;lastname;course1;enrol1;start1;enrolperiod1;end1"
    result = run_file(site, "users", f"{head}\np1;Ann;Lee;C1;manual;2027-01-01;10;2027-06-01\n")
    assert [note.code for note in result.outcomes[0].notes] == ["period_beside_end"]


@pytest.mark.parametrize("zone", ["1_0", "1e1", "٣", "Factory", "localtime", "infinity", "europe/paris", "UTC+1"])
def test_what_moodle_knows_as_no_time_zone_is_none(site: MoodleSite, zone: str) -> None:
    result = run_file(site, "users", f"username;firstname;lastname;timezone\np4;Ann;Lee;{zone}\n")
    assert result.codes == ["timezone_unknown"]


@pytest.mark.parametrize("zone", ["99", "2", "+2", "-3.5", "5.75", "CET", "Europe/Paris"])
def test_zones_and_offsets_are_kept_as_they_are(site: MoodleSite, zone: str) -> None:
    result = run_file(site, "users", f"username;firstname;lastname;timezone\np4;Ann;Lee;{zone}\n")
    assert result.codes == ["account_created"]
    assert site.one("user", username="p4")["timezone"] == zone


@pytest.mark.parametrize(
    "cell",
    [
        "$2y$10$" + "a" * 53, "$6$rounds=10000$abc$" + "x" * 60, "$argon2id$v=19$m=1$" + "b" * 30,
        "5f4dcc3b5aa765d61d8327deb882cf99", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19", "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr",
        "{CRYPT}$6$abc$" + "x" * 40, "pbkdf2_sha256$260000$abc$" + "x" * 40, "sha1$a1976$" + "a" * 40,
    ],
)  # fmt: skip
def test_a_hash_is_no_password(site: MoodleSite, cell: str) -> None:
    result = run_file(site, "users", f"username;firstname;lastname;password\np4;Ann;Lee;{cell}\n")
    assert result.codes == ["password_is_hash"]
    assert cell not in result.report


def test_an_enrolment_that_has_ended_is_said_to(site: MoodleSite) -> None:
    head = "username;firstname;lastname;course1;enrol1;start1;end1"
    result = run_file(site, "users", f"{head}\np1;Ann;Lee;C1;manual;2020-01-01;2020-06-01\np2;Bo;Kim;C1;manual;;\n")
    assert [[note.code for note in outcome.notes] for outcome in result.outcomes] == [["enrolment_ended"], []]
