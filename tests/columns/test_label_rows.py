"""sync.columns.label_rows: lines that say what the columns hold, and rows that only look so."""

from __future__ import annotations

import pytest

from sync.columns.header import match_header
from sync.columns.label_rows import LabelRows
from sync.processors.registry import REGISTRY
from sync.reader.dialect import header_name
from sync.values import Header


def labels(file_type: str, header: str) -> LabelRows:
    spelled = tuple(header.split(";"))
    names = tuple(map(header_name, spelled))
    matched = match_header(REGISTRY[file_type].columns, Header(1, header.encode(), names, spelled))
    return LabelRows(matched.fields)


@pytest.mark.parametrize(
    ("file_type", "header", "line"),
    [
        ("users", "username;firstname;lastname;email", "User name;First name;Surname;Email address"),
        ("users", "username;firstname;lastname;email", "Identifiant (obligatoire);Prénom;Nom;Adresse de courriel"),
        ("users", "username;firstname;lastname;email;city", "Username*;First name*;Last name*;E-mail*;"),
        ("users", "username;firstname;lastname;course1;role1", "Benutzername;Vorname;Nachname;Kurs 1;Rolle 1"),
        ("courses", "shortname;fullname;category", "Nom abrégé;Nom complet;Catégorie de cours"),
        ("users", "username;firstname;lastname;email", "Matricule;Prénom;Nom;Courriel"),
        ("courses", "shortname;fullname;summary", "Code;Title;What the course is about"),
    ],
)
def test_a_line_of_labels_is_found(file_type: str, header: str, line: str) -> None:
    assert labels(file_type, header).is_one(line.split(";"))


@pytest.mark.parametrize(
    ("file_type", "header", "line"),
    [
        ("users", "username;firstname;lastname;email", "user;First;Last;user@example.org"),
        ("users", "username;firstname;lastname;email", "first;Ann;Name;"),
        ("users", "username;firstname;lastname;email", "nom;Prenom;Durand;"),
        ("users", "username;firstname;lastname", "kim;First;Last"),
        ("users", "username;firstname;lastname;city", "kim0;First;Last;City"),
        ("users", "username;firstname;lastname", ";;"),
        ("users", "username;firstname;lastname", "éa;Éa;Éa"),
        ("courses", "shortname;fullname;category", "CODE;Title of the course;Sciences"),
        ("courses", "shortname;fullname;category", "CODE"),
    ],
)
def test_a_row_that_holds_such_a_word_is_none(file_type: str, header: str, line: str) -> None:
    assert not labels(file_type, header).is_one(line.split(";"))
