"""Files of other systems, as they come: each is recognised, and its rows are those of the file type."""

from __future__ import annotations

import io
from typing import Any

import pytest

from sync.columns.header import match_header
from sync.columns.rows import RowCleaner
from sync.mappings.mapped_rows import known_by, mapped
from sync.mappings.recognition import likeliest, recognise
from sync.mappings.shipped import SHIPPED, shipped_for, shipped_mapping
from sync.processors.registry import REGISTRY
from sync.reader import open_rows

FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "OneRoster users.csv": (
        "sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,middleName,email,sms,phone,password,pronouns",
        "u1,,,true,ada,Ada,Lovelace,King,ada@x.org,,0123,Secret-7,",
        {"username": "ada", "lastname": "Lovelace", "middlename": "King", "idnumber": "u1", "suspended": 0},
    ),
    "OneRoster classes.csv": (
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,termSourcedIds",
        "c1,tobedeleted,,Algebra I,9,k1,ALG,scheduled,,s1,t1",
        {"shortname": "c1", "fullname": "Algebra I", "visible": 0},
    ),
    "OneRoster courses.csv": (
        "sourcedId,status,dateLastModified,schoolYearSourcedId,title,courseCode,grades,orgSourcedId,subjects,subjectCodes",
        "k1,active,,y1,Algebra,ALG,9,o1,,",
        {"shortname": "k1", "fullname": "Algebra", "visible": 1},
    ),
    "OneRoster enrollments.csv": (
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate",
        "e1,tobedeleted,,c1,s1,u1,teacher,true,2026-09-01,2027-06-30",
        {"cmd": "del", "cid": "c1", "uid": "u1", "rolename": "editingteacher", "enrol": "manual"},
    ),
    "Canvas SIS users.csv": (
        "user_id,integration_id,login_id,password,first_name,last_name,full_name,sortable_name,short_name,email,status",
        "01103,,bsmith01,,Bob,Smith,,,,bob.smith@x.org,deleted",
        {"username": "bsmith01", "idnumber": "01103", "suspended": 1},
    ),
    "Canvas SIS courses.csv": (
        "course_id,short_name,long_name,account_id,term_id,status,start_date,end_date",
        "E411208,ENG115,English 115,A002,,active,2026-09-01T00:00:00Z,",
        {"shortname": "E411208", "fullname": "English 115", "idnumber": "E411208", "visible": 1},
    ),
    "Canvas SIS sections.csv": (
        "section_id,course_id,name,status,start_date,end_date",
        "S001,E411208,Section 1,active,,",
        {"courseid": "E411208", "name": "Section 1", "idnumber": "S001", "type": "group"},
    ),
    "Canvas SIS enrollments.csv": (
        "course_id,user_id,role,section_id,status",
        "E411208,01103,ta,1B,inactive",
        {"cmd": "disable", "cid": "E411208", "uid": "01103", "rolename": "teacher"},
    ),
    "Apogée, Pégase: étudiants": (
        "N° étudiant,Nom,Nom d'usage,Prénom,Courriel,Code étape,Libellé étape,Civilité",
        "22001234,Byron,Lovelace,Ada,ada@x.fr,L3MATH,Licence 3,Mme",
        {"username": "22001234", "idnumber": "22001234", "lastname": "Lovelace", "firstname": "Ada", "cohort1": "L3MATH"},
    ),
    "Apogée, Pégase: inscriptions pédagogiques": (
        "Code étudiant,Nom,Code ELP,Année",
        "22001234,Lovelace,MAT301,2026",
        {"uid": "22001234", "cid": "MAT301", "rolename": "student", "enrol": "manual", "cmd": "add"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_system_becomes_rows_of_its_type(name: str) -> None:
    header, line, expected = FILES[name]
    spelled = header.split(",")
    fitting = [key for key in REGISTRY if (found := shipped_for(key, spelled)) is not None and found.name == name]
    [key] = fitting
    processor = REGISTRY[key]
    shipped = shipped_for(key, spelled)
    assert shipped is not None
    mapping = shipped.for_header(spelled)
    content = io.BytesIO(f"{header}\n{line}\n".encode())
    opened = open_rows(content, "in.csv", known_name=known_by(mapping, processor.columns))
    with mapped(mapping, processor.columns, opened) as reader:
        matched = match_header(processor.columns, reader.header)
        cleaner = RowCleaner(processor.columns, matched, lambda _t, _c: None, options=processor.options())
        rows, rejections = cleaner.clean(list(reader))
    assert rejections == []
    assert {name: rows[0].values.get(name) for name in expected} == expected


def test_every_mapping_is_tried_and_its_options_are_there() -> None:
    assert {shipped.name for shipped in SHIPPED} == FILES.keys()
    for shipped in SHIPPED:
        assert shipped_mapping(shipped.name, shipped.version) is shipped
        REGISTRY[shipped.processor].options.resolve(shipped.options)


@pytest.mark.parametrize(
    "header",
    ["username,firstname,lastname,email,course1,role1", "shortname,fullname,category", "name,idnumber,description",
     "username", "groupname,courseid"],
)  # fmt: skip
def test_files_of_moodles_own_uploads_need_none(header: str) -> None:
    assert [key for key in REGISTRY if shipped_for(key, header.split(","))] == []


TYPES = {key: (processor.columns, processor.default_filename) for key, processor in REGISTRY.items()}


@pytest.mark.parametrize(
    ("header", "filename", "key"),
    [
        ("username,firstname,lastname,email", "people.csv", "users"),
        ("cid,uid,rolename", "in.csv", "enrolments"),
        ("shortname,fullname,category", "in.csv", "courses"),
        ("Nom,Prénom,Identifiant", "export.csv", "users"),
        # Deleting is never a guess.
        ("username", "in.csv", ""),
        ("username", "userdelete.csv", "users_delete"),
        ("", "in.csv", ""),
        ("one,two,three", "in.csv", ""),
    ],
)
def test_a_type_is_recognised_by_its_header(header: str, filename: str, key: str) -> None:
    found = recognise(header.split(","), filename, TYPES)
    assert likeliest(found) == key
    assert all(0 < each.percent < 100 for each in found)
