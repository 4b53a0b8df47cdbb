"""What the server takes for the same is one object: users, courses, categories, groups, groupings and cohorts.

Each file is carried out in one chunk and in chunks of one row: what an earlier row made is found either way.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

# File type, command file, its options, table and column where the second row must make nothing; codes of its rows.
MADE_ONCE = [
    ("courses", "shortname;fullname\nŁÓDŹ;a\nŁódź;b\n", {}, "course", "shortname", "Łódź"),
    ("courses", "shortname;fullname;idnumber\nS1;a;Nuño\nS2;b;nuno\n", {}, "course", "idnumber", "Nuño"),
    ("courses", "shortname;fullname;category\nS1;a;Été/Maths\nS2;b;ete/MATHS\n", {}, "course_categories", "name", "Maths"),
    ("groups", "courseid;name\nC1;Équipe A\nC1;equipe a\n", {}, "groups", "name", "Équipe A"),
    ("groups", "type;courseid;name\ngrouping;C1;Équipes\ngrouping;C1;EQUIPES\n", {}, "groupings", "name", "Équipes"),
    ("cohorts", "cidnumber;cname\nPROMO-É;Année\npromo-e;Année\n", {}, "cohort", "idnumber", "PROMO-É"),
    ("cohorts", "cname\nCôte d'Or\ncote d'or\n", {"cohortidentifier": "name"}, "cohort", "name", "Côte d'Or"),
]  # fmt: skip


def _on(*names: str) -> pytest.MarkDecorator:
    sites = [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in names]
    return pytest.mark.parametrize("moodle_site", sites, indirect=True)


on_mariadb = _on("mariadb:4.5")
on_two_servers = _on("mariadb:4.5", "postgresql:4.5")


def _same(site: MoodleSite, table: str, column: str, text: str) -> int:
    """How many rows the server takes for this one."""
    return len(site.rows(table, **{column: text}))


@on_mariadb
@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("case", MADE_ONCE)
def test_a_second_spelling_makes_nothing(
    moodle_site: MoodleSite, case: tuple[str, str, dict[str, Any], str, str, str], chunk_rows: int
) -> None:
    key, text, options, table, column, name = case
    simulated = run_file(moodle_site, key, text, simulate=True, chunk_rows=chunk_rows, **options)
    done = run_file(moodle_site, key, text, chunk_rows=chunk_rows, **options)
    assert _same(moodle_site, table, column, name) == 1
    assert simulated.counts == done.counts


def _users(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "users", text, **{"primaryidentity": "username", **options})


@on_mariadb
@pytest.mark.parametrize("chunk_rows", [1, 1000])
@pytest.mark.parametrize("simulate", [True, False])
def test_an_idnumber_in_two_spellings_belongs_to_one_user(
    moodle_site: MoodleSite, chunk_rows: int, simulate: bool
) -> None:
    text = "username;firstname;lastname;email;idnumber\nn1;A;B;n@x.org;Nuño\nn2;A;B;m@x.org;NUNO\nn3;A;B;Ñ@x.org;N3\n"
    result = _users(moodle_site, text, chunk_rows=chunk_rows, simulate=simulate)
    assert result.codes == ["account_created", "idnumber_taken", "email_taken"]
    by_idnumber = _users(moodle_site, text, chunk_rows=chunk_rows, simulate=simulate, primaryidentity="idnumber")
    assert by_idnumber.codes[1] == "username_differs"


@on_two_servers
def test_two_spellings_that_are_apart_for_the_server_are_ambiguous_where_none_is_exact(moodle_site: MoodleSite) -> None:
    for number, idnumber in enumerate(("Ünit", "ünit")):
        moodle_site.insert("user", username=f"twin{number}", idnumber=idnumber, mnethostid=1, email=f"t{number}@x.org")
    text = "username;firstname;lastname;idnumber\ntwin0;A;B;{}\n"
    exact = _users(moodle_site, text.format("Ünit"), primaryidentity="idnumber")
    other = _users(moodle_site, text.format("UNIT"), primaryidentity="idnumber")
    if moodle_site.engine_name == "mariadb":
        # The other user has the same idnumber already, for Moodle: that is refused, and so is what may mean both.
        assert exact.codes == ["idnumber_taken"]
        assert other.codes == ["account_ambiguous"]
    else:
        assert exact.codes == ["account_updated"]
        assert other.codes == ["username_collision"]


@on_two_servers
def test_a_user_with_capitals_is_updated_by_its_own_name_in_any_case(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {user} SET username = 'Ann.Smith@Corp.org' WHERE username = 'ann'")
    for place, name in enumerate(("Ann.Smith@Corp.org", "ann.smith@corp.org", "ANN.SMITH@CORP.ORG")):
        result = _users(moodle_site, f"username;firstname;lastname;city\n{name};Ann;Smith;City {place}\n")
        assert result.codes == ["account_updated"]
        found = run_file(moodle_site, "enrolments", f"cmd;cid;uid;rolename;enrol\nadd;C1;{name};student;manual\n")
        assert found.codes == ["enrolment_created" if not place else "enrolment_unchanged"]
    assert moodle_site.one("user", idnumber="A1")["username"] == "Ann.Smith@Corp.org"


@on_two_servers
def test_renaming_still_renames_where_it_is_allowed(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {user} SET username = 'Ann.Smith@Corp.org' WHERE username = 'ann'")
    text = "username;firstname;lastname;oldusername\nann.smith@corp.org;Ann;Smith;Ann.Smith@Corp.org\n"
    assert _users(moodle_site, text).codes == ["account_unchanged"]
    assert _users(moodle_site, text, allowrename=True).codes == ["account_renamed"]
    assert moodle_site.one("user", idnumber="A1")["username"] == "ann.smith@corp.org"
    assert _users(moodle_site, text, allowrename=True).codes == ["account_unchanged"]


@on_two_servers
def test_a_username_that_moodle_would_not_make_today_can_be_updated(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {user} SET username = 'ann smith' WHERE username = 'ann'")
    text = "username;firstname;lastname;city\n{};Ann;Smith;Rome\n"
    assert _users(moodle_site, text.format("Ann Smith")).codes == ["account_updated"]
    assert _users(moodle_site, text.format("bob smith")).codes == ["username_invalid"]


CATEGORY_CELLS = [
    # Cell, name of the category where the course ends, how many categories the row makes.
    ("Arts / Crafts", "Arts / Crafts", 0),
    ("Arts/Crafts", "Arts / Crafts", 0),
    (r"Arts \/ Crafts", "Arts / Crafts", 0),
    ("Arts / Crafts/New", "New", 1),
    (r"A\/B/C", "C", 2),
    ("A\\B", "A\\B", 1),
    ("/Arts", "Arts", 1),
]


@pytest.mark.parametrize(("cell", "name", "made"), CATEGORY_CELLS)
def test_a_slash_may_be_in_the_name_of_a_category(sqlite_site: MoodleSite, cell: str, name: str, made: int) -> None:
    run_file(sqlite_site, "courses", "shortname;fullname;category\nFIRST;x;Arts \\/ Crafts\n")
    before = len(sqlite_site.rows("course_categories"))
    assert run_file(sqlite_site, "courses", f"shortname;fullname;category\nNEW;x;{cell}\n").codes == ["course_created"]
    category = sqlite_site.one("course", shortname="NEW")["category"]
    assert sqlite_site.one("course_categories", id=category)["name"] == name
    assert len(sqlite_site.rows("course_categories")) == before + made


def test_a_path_that_is_there_as_it_stands_goes_before_names_with_slashes(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "courses", "shortname;fullname;category\nA;x;Arts \\/ Crafts\nB;x;Arts/Crafts\n")
    # The second row meant the category of the first; a path below Arts has to be made in two steps.
    run_file(sqlite_site, "courses", "shortname;fullname;category\nC;x;/Arts\n")
    arts = sqlite_site.one("course_categories", name="Arts")["id"]
    crafts = sqlite_site.insert("course_categories", name="Crafts", parent=arts, depth=2, path="", visible=1)
    sqlite_site.insert("context", contextlevel=40, instanceid=crafts, depth=3, path="/1/998/999")
    run_file(sqlite_site, "courses", "shortname;fullname;category\nD;x;Arts/Crafts\n")
    assert sqlite_site.one("course", shortname="D")["category"] == crafts


def _category(site: MoodleSite, name: str, parent: int = 0, **more: Any) -> int:
    category = site.insert(
        "course_categories", name=name, parent=parent, depth=2 if parent else 1, path="", visible=1, **more
    )
    site.insert("context", contextlevel=40, instanceid=category, depth=3, path=f"/1/{900 + category}")
    return category


# File type, header, row with the category at {}.
CATEGORY_COLUMNS = [
    ("courses", "shortname;fullname;category", "N{place};x;{cell}"),
    ("cohorts", "cidnumber;category_path", "N{place};{cell}"),
    ("cohorts", "cidnumber;category", "N{place};{cell}"),
    ("categories", "category", "{cell}"),
    ("categories", "category;parent", "New{place};{cell}"),
]


@pytest.mark.parametrize(("key", "header", "row"), CATEGORY_COLUMNS)
def test_categories_of_one_name_in_one_place_are_ambiguous(
    sqlite_site: MoodleSite, key: str, header: str, row: str
) -> None:
    """Moodle's form of categories doesn't mind that there is another one of the same name."""
    for _twice in range(2):
        parent = _category(sqlite_site, "Sci")
        _category(sqlite_site, "2030")
    _category(sqlite_site, "Maths", parent)
    _category(sqlite_site, "Maths", parent)
    before = sqlite_site.rows("course_categories")
    cells = ["Sci", "Sci/Maths"]
    if key == "courses":
        cells += ["/Sci", "Sci/Maths/New", "Sci/New", "2030"]
    rows = "".join(row.format(place=place, cell=cell) + "\n" for place, cell in enumerate(cells))
    result = run_file(sqlite_site, key, f"{header}\n{rows}")
    assert result.codes == ["category_ambiguous"] * len(cells)
    assert sqlite_site.rows("course_categories") == before


def test_a_path_leads_through_a_name_that_two_have_where_one_alone_has_the_next(sqlite_site: MoodleSite) -> None:
    _category(sqlite_site, "Sci")
    maths = _category(sqlite_site, "Maths", _category(sqlite_site, "Sci"))
    used = run_file(sqlite_site, "courses", "shortname;fullname;category\nA;x;Sci/Maths\nB;x;Sci/Physics\n")
    assert used.codes == ["course_created", "category_ambiguous"]
    assert sqlite_site.one("course", shortname="A")["category"] == maths


@pytest.mark.parametrize("column", ["category", "category_idnumber"])
def test_an_idnumber_that_two_categories_have_is_ambiguous(sqlite_site: MoodleSite, column: str) -> None:
    for name in ("One", "Two"):
        _category(sqlite_site, name, idnumber="SCI")
    text = f"shortname;fullname;{column}\nA;x;SCI\n"
    result = run_file(sqlite_site, "courses", text, categoryidentifier="idnumber")
    assert [(o.code, o.params["column"], o.params["count"]) for o in result.outcomes] == [
        ("category_ambiguous", column, 2)
    ]


def test_digits_that_are_an_id_and_a_name_are_refused(sqlite_site: MoodleSite) -> None:
    made = run_file(sqlite_site, "courses", "shortname;fullname;category\nA;x;/1\nB;x;/77\n")
    assert made.codes == ["course_created", "course_created"]
    used = run_file(sqlite_site, "courses", "shortname;fullname;category\nC;x;1\nD;x;77\nE;x;78\n")
    assert used.codes == ["category_digits_ambiguous", "course_created", "category_digits_unknown"]
    category = sqlite_site.one("course", shortname="D")["category"]
    assert sqlite_site.one("course_categories", id=category)["name"] == "77"


def test_a_path_of_numbers_makes_no_categories(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "courses", "shortname;fullname;category\nA;x;Arts/Crafts\n")
    crafts = sqlite_site.one("course_categories", name="Crafts")
    path = f"{crafts['parent']}/{crafts['id']}"
    used = run_file(sqlite_site, "courses", f"shortname;fullname;category\nB;x;{path}\nC;x;/{path}\nD;x;{path}/7\n")
    assert used.codes == ["category_path_of_numbers", "category_path_of_numbers", "course_created"]
    assert (used.outcomes[0].params["name"], used.outcomes[0].params["number"]) == ("Arts/Crafts", crafts["id"])
    # Where categories are called so, the path is one of names.
    again = run_file(sqlite_site, "courses", f"shortname;fullname;category\nE;x;{path}\n")
    assert again.codes == ["course_created"]


NUMBERS = ("-1", "1.0", "2026.0", "2026,00", "1e3", "+5", "1 000", "1'000", "-1,5")


def test_numbers_as_spreadsheets_show_them_make_no_category(sqlite_site: MoodleSite) -> None:
    before = sqlite_site.rows("course_categories")
    rows = "".join(f"N{place};x;{cell}\n" for place, cell in enumerate(NUMBERS))
    used = run_file(sqlite_site, "courses", f"shortname;fullname;category\n{rows}")
    assert used.codes == ["category_number_unclear"] * len(NUMBERS)
    assert sqlite_site.rows("course_categories") == before


def test_a_category_that_is_called_like_a_number_is_used(sqlite_site: MoodleSite) -> None:
    run_file(sqlite_site, "courses", "shortname;fullname;category\nA;x;/2026.0\n")
    used = run_file(sqlite_site, "courses", "shortname;fullname;category\nB;x;2026.0\nC;x;2026-27\nD;x;2026 2027\n")
    assert used.codes == ["course_created"] * 3
    assert sqlite_site.one("course", shortname="A")["category"] == sqlite_site.one("course", shortname="B")["category"]


def test_users_that_differ_by_case_alone_are_told_apart_by_their_spelling(sqlite_site: MoodleSite) -> None:
    for name in ("anna", "Anna"):
        sqlite_site.insert(
            "user", username=name, mnethostid=1, deleted=0, confirmed=1, auth="manual", city="", email=""
        )
    text = "username;firstname;lastname;city\nAnna;A;One;Rome\nanna;A;Two;Oslo\nANNA;A;Three;Bern\n"
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert [outcome.action for outcome in result.outcomes] == ["updated", "updated", "rejected"]
    assert result.codes[2] == "account_ambiguous"
    cities = {row["username"]: row["city"] for row in sqlite_site.rows("user") if row["username"].lower() == "anna"}
    assert cities == {"Anna": "Rome", "anna": "Oslo"}


def test_a_username_with_capitals_still_makes_one_in_small_letters(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;email\nNewAnna;A;B;newanna@example.org\n"
    assert run_file(sqlite_site, "users", text, primaryidentity="username").codes == ["account_created"]
    assert sqlite_site.one("user", username="newanna")["lastname"] == "B"
