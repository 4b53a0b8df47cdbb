"""The header against the declaration."""

from __future__ import annotations

import pytest

from sync.columns.clean import text
from sync.columns.column import NumberedColumn, OptionalColumn, RequiredColumn
from sync.columns.file_columns import Columns
from sync.columns.header import match_header
from sync.errors import HeaderError
from sync.messages import text_of
from sync.processors.registry import REGISTRY
from sync.values import Header

COLUMNS = Columns(
    RequiredColumn(text(), name="username"),
    RequiredColumn(text(), name="lastname"),
    OptionalColumn(text(), name="cmd", aliases=("gcmd",)),
    OptionalColumn(text(), name="htmleditor", ignored=True),
    NumberedColumn(text(), name="course"),
)
IDENTITIES = Columns(
    OptionalColumn(text(), name="username"), OptionalColumn(text(), name="email"), one_of=("username", "email")
)


def header(*spelled: str, line: int = 3) -> Header:
    return Header(line, b"", tuple(name.lower() for name in spelled), spelled)


def refusal(*spelled: str, columns: Columns = COLUMNS, lenient: bool = False) -> tuple[str, str]:
    """Return code and text of the refusal of a header."""
    with pytest.raises(HeaderError) as error:
        match_header(columns, header(*spelled), lenient=lenient)
    return error.value.code, text_of(error.value.code, error.value.params)


def test_names_are_matched_in_any_order_and_case() -> None:
    matched = match_header(COLUMNS, header("Course2", "LASTNAME", "username", "gcmd"))

    assert matched.names == ("course2", "lastname", "username", "cmd")
    assert [position for position, _name, _column in matched.fields] == [0, 1, 2, 3]
    assert (matched.line, matched.width, matched.ignored) == (3, 4, ())


def test_columns_of_a_tryback_and_obsolete_ones_are_passed_over() -> None:
    matched = match_header(COLUMNS, header("username", "HTMLeditor", "lastname", "_line", "_code", "_reason"))

    assert matched.fields[1][:2] == (2, "lastname")
    assert matched.names == ("username", "lastname")
    assert matched.ignored == ("HTMLeditor",)


def test_empty_cells_at_the_end_do_not_count() -> None:
    assert match_header(COLUMNS, header("username", "lastname", "", "")).width == 2


def test_a_misspelt_name_is_refused_with_the_nearest_one() -> None:
    code, said = refusal("username", "LastName", "lastnam", "curse1")

    assert code == "header_unknown_column_near"
    assert said.startswith("Line 3: these columns are not known here: lastnam → lastname, curse1 → course1. Write")


def test_a_name_that_is_like_none_is_refused_with_all_that_there_are() -> None:
    code, said = refusal("username", "lastname", "Shoesize")

    assert code == "header_unknown_column"
    assert "Shoesize" in said
    assert "username, lastname, cmd, course1" in said


@pytest.mark.parametrize(
    ("key", "spelled", "said"),
    [
        ("users", "User Name;First name;Surname;Email address",
         "User Name → username, First name → firstname, Surname → lastname, Email address → email."),
        ("users", "username;Prénom;Nom;Adresse de courriel;Numéro d\u2019identification",
         "Prénom → firstname, Nom → lastname, Adresse de courriel → email, Numéro d\u2019identification → idnumber."),
        ("users", "login_id;first_name;last_name;email;status",
         "login_id → username, first_name → firstname, last_name → lastname, status."),
        ("users", "Vorname;Nachname;E-Mail-Adresse;Anmeldename",
         "Vorname → firstname, Nachname → lastname, E-Mail-Adresse → email, Anmeldename → username."),
        ("users", "Nombre de usuario;Nombre;Apellido(s);Dirección de correo;Contraseña;Número de ID;País",
         ("Nombre de usuario → username, Nombre → firstname, Apellido(s) → lastname, Dirección de correo → email, "
         "Contraseña → password, Número de ID → idnumber, País → country.")),
        ("users", "Nome utente;Cognome;Indirizzo email;Città/Località;Nazione;Gebruikersnaam;Wachtwoord;Woonplaats",
         ("Nome utente → username, Cognome → lastname, Indirizzo email → email, Città/Località → city, Nazione → country, "
         "Gebruikersnaam → username, Wachtwoord → password, Woonplaats → city.")),
        ("courses", "Nome breve do curso;Nome completo do curso;Categoria do curso;Data de início;Einddatum",
         ("Nome breve do curso → shortname, Nome completo do curso → fullname, Categoria do curso → category, "
         "Data de início → startdate, Einddatum → enddate.")),
        ("enrolments", "username;course1;role1", "username → uid, course1 → cid, role1 → rolename."),
        ("enrolments", "uid;cid;role;Enrolled until", "role → rolename, Enrolled until."),
        ("cohorts", "cidnumber;username", "username → userid."),
        ("courses", "Nom abrégé;fullname;Catégorie de cours", "Nom abrégé → shortname, Catégorie de cours → category."),
        ("users", "username;firstname;Shoe size", "Shoe size. Take them out"),
        ("users", "username;firstname;Shoe size", "These columns are missing: lastname."),
    ],
)  # fmt: skip
def test_each_unknown_name_stands_beside_what_it_was_meant_as_if_anything(key: str, spelled: str, said: str) -> None:
    assert said in refusal(*spelled.split(";"), columns=REGISTRY[key].columns)[1]


def test_unknown_names_may_be_accepted() -> None:
    matched = match_header(COLUMNS, header("username", "Shoesize", "lastname"), lenient=True)

    assert matched.names == ("username", "lastname")
    assert matched.ignored == ("Shoesize",)


@pytest.mark.parametrize("lenient", [False, True])
def test_a_row_in_place_of_the_header_is_not_repeated(lenient: bool) -> None:
    code, said = refusal("ada", "Lovelace", "Secret#1", lenient=lenient)

    assert code == "header_without_known_column"
    assert said.startswith("Line 3:")
    assert "username, lastname" in said
    assert not any(cell in said for cell in ("ada", "Lovelace", "Secret#1"))


def test_a_header_without_any_right_name_still_gets_the_nearest_ones() -> None:
    code, said = refusal("user_name", "Secret#1")

    assert code == "header_unknown_column_near"
    assert "user_name → username." in said
    assert "These columns are missing: lastname." in said
    assert "Secret#1" not in said


@pytest.mark.parametrize("twice", [("username", "UserName"), ("cmd", "gcmd"), ("course1", "course1")])
def test_a_column_named_twice_is_refused(twice: tuple[str, str]) -> None:
    code, said = refusal("lastname", *twice)

    assert code == "header_duplicate_column"
    assert said.startswith("Line 3: the header names these columns twice: ")


def test_a_column_without_name_is_refused_with_its_place() -> None:
    assert refusal("username", "", "lastname") == (
        "header_empty_name", "Line 3: column 2 of the header has no name. Name it or take it out.",
    )  # fmt: skip


def test_a_missing_column_is_refused_by_name() -> None:
    code, said = refusal("Username", "cmd")

    assert code == "header_missing_column"
    assert "lacks these columns: lastname. Add them. It has: Username, cmd;" in said


def test_one_of_several_identities_is_enough() -> None:
    assert match_header(IDENTITIES, header("email")).names == ("email",)
    code, said = refusal("_line", columns=IDENTITIES)
    assert code == "header_missing_identity"
    assert "username, email" in said


@pytest.mark.parametrize(
    ("key", "names", "said"),
    [
        ("courses", "shortname,fullname,delete", "courses_delete"),
        ("courses", "shortname,fullname,rename", "Course identifier"),
        ("courses", "shortname,fullname,reset", "courses_reset"),
        ("courses", "shortname,fullname,backupfile", "column template"),
        ("courses", "shortname,fullname,enrolment_1,enrolment_1_role,enrolment_2", "cohort_courses"),
        ("courses", "shortname,fullname,role_student", "set in Moodle"),
        ("groups", "coursename,groupname,groupingname", "idnumber of a grouping"),
        ("groups", "coursename,groupname,enrolmentkey,lang", "set in Moodle"),
        ("courses_meta", "operation,method,shortname,metacohort,disabled,group", "makegroup"),
        ("cohort_courses", "operation,method,shortname,metacohort,disabled,group", "with makegroup"),
        ("users", "username,firstname,lastname,category1,categoryrole1", "given in Moodle"),
        ("cohorts", "name,idnumber,context", "is named by category, category_path"),
        ("cohorts", "name,idnumber,theme", "set in Moodle"),
    ],
)
def test_columns_of_moodles_own_tools_are_refused_with_what_to_do_here(key: str, names: str, said: str) -> None:
    code, text = refusal(*names.split(","), columns=REGISTRY[key].columns)
    assert code.startswith("header_unknown_column")
    assert text.count(said) == 1, text


@pytest.mark.parametrize(
    "names",
    [
        "coursename,groupname,idnumber",
        "groupname,idnumber",
        "coursename,name,idnumber",
        "idnumber,groupname,groupidnumber",
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_in_a_header_of_moodles_groups_the_idnumber_is_never_taken_for_the_groups(names: str, *, lenient: bool) -> None:
    code, text = refusal(*names.split(","), columns=REGISTRY["groups"].columns, lenient=lenient)
    assert code == "header_idnumber_of_course"
    assert "groupidnumber" in text


@pytest.mark.parametrize("names", ["courseid,name,idnumber", "coursename,groupname,groupidnumber", "courseid,name"])
def test_other_headers_of_groups_are_read(names: str) -> None:
    matched = match_header(REGISTRY["groups"].columns, header(*names.split(",")))
    assert matched.names[:2] == ("courseid", "name")
