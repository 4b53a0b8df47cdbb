"""Command files as users of the old plugin have them: each works here unchanged, with the settings under their old names.

Source: spec generic.md section 6, users.md section 2, enrols.md section 2, courses.md sections 1 to 5, groups.md, cohorts.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.moodle_sites import MoodleSite, build_site
from tests.processors.random_files import furnish
from tests.support import run_file

USERS = {
    "users_primaryidentity": "idnumber",
    "courses_primaryidentity": "shortname",
    "users_protectemails": "1",
    "users_createpasswords": "0",
    "users_sendpasswordtousers": "0",
    "users_allowrename": "0",
    "csvseparator": ";",
    "encoding": "UTF-8",
}


class OldFile(NamedTuple):
    """A command file. Shape: options: as the old plugin calls them; counts: action -> rows"""

    name: str
    key: str
    text: str
    options: Mapping[str, Any]
    counts: Mapping[str, int]
    encoding: str = "utf-8"


FILES = [
    OldFile(
        "all columns of accounts",
        "users",
        "( export de l'annuaire du 01/09 )\n"
        "# comptes eleves\n"
        "\n"
        "username;password;firstname;lastname;email;idnumber;auth;institution;department;address;phone1;phone"
        "2;icq;url;description;city;country;lang;timezone;mnethostid;maildisplay;maildigest;mailformat;autosu"
        "bscribe;trackforums;htmleditor;suspended\n"
        "jean.dupont;Secret!12;Jean;Dupont;jean.dupont@lycee.example;E001;manual;Lycée Hoche;2nde 3;73 avenue"
        " de Saint-Cloud;0139;0612;;;Élève;Versailles;fr;fr_utf8;Europe/Paris;1;2;0;1;1;0;1;0\n"
        "marie.curie;*NOPASS*;Marie;Curie;NO MAIL;E002;nologin;;;;;;;;;Paris;FR;en;99;;1;1;1;0;1;;\n",
        USERS,
        {"created": 2},
    ),
    OldFile(
        "sets of courses",
        "users",
        "username;firstname;lastname;idnumber;email;course1;role1;enrol1;start1;end1;group1;course2;role2;enr"
        "ol2;start2;end2;group2\n"
        "u1; F1 ; L1 ;U1;u1@x.org;C1;student;manual;1788220800;1819756800;G1;C2;editingteacher;;;;\n"
        "new1;A;B;N1;n1@x.org;C1;;manual;;;Nouveau groupe;;;;;;\n"
        "new2;A;B;N2;n2@x.org;;;;;;;C2;student;manual;;;G2\n",
        USERS,
        {"updated": 1, "created": 2},
    ),
    OldFile(
        "ISO-8859-1",
        "users",
        "username;firstname;lastname;idnumber;city;description\r\n"
        "elo;Éloïse;Noël;N3;Orléans;Elle &#59 vient d'Évreux\r\n",
        {**USERS, "encoding": "ISO-8859-1"},
        {"created": 1},
        encoding="latin-1",
    ),
    OldFile(
        "an entity for the comma",
        "users",
        "username,firstname,lastname,idnumber,institution\np,Paul,Durand,N4,Dupont&#44 et fils\n",
        {**USERS, "csvseparator": ","},
        {"created": 1},
    ),
    OldFile(
        "cohorts of accounts",
        "users",
        "username;firstname;lastname;idnumber;cohort;cohortid\n"
        "a;A;A;N5;Terminale S;TS\n"
        "b;B;B;N6;Terminale S;TS\n"
        "c;C;C;N7;K1;\n",
        USERS,
        {"created": 3},
    ),
    OldFile(
        "deleted",
        "users",
        "username;firstname;lastname;idnumber;deleted\nu1;F1;L1;U1;1\nu2;F2;L2;U2;0\nu3;F3;L3;U3;\n",
        USERS,
        {"deleted": 1, "unchanged": 2},
    ),
    OldFile(
        "renamed",
        "users",
        "username;oldusername;firstname;lastname;idnumber\nv1;u1;F1;L1;U1\nv2;u2;F2;L2;U2\n",
        {**USERS, "users_allowrename": "1"},
        {"updated": 2},
    ),
    OldFile(
        "old columns",
        "users",
        "username;firstname;lastname;idnumber;profile_field_dept;type1;wwwroot1;course1\nu1;F1;L1;U1;Maths;;;\n",
        USERS,
        {"updated": 1},
    ),
    OldFile(
        "deletion list",
        "users_delete",
        "# sortants\nusername;idnumber\nu1;U1\nu9;U9\n",
        {"users_primaryidentity": "idnumber", "csvseparator": ";", "encoding": "UTF-8"},
        {"deleted": 1, "rejected": 1},
    ),
    OldFile(
        "suspension list",
        "users_suspend",
        "username\nu1\nu2\n",
        {"users_primaryidentity": "username"},
        {"updated": 2},
    ),
    OldFile(
        "all commands of enrolments",
        "enrolments",
        "cmd;rolename;cid;uid;starttime;endtime;enrol;gcmd;g1;g2;g3\n"
        "add;student;C1;u4;2026-09-01 00:00:00;2027-07-01 00:00:00;manual;gaddcreate;TD1;;TP2\n"
        "add;teacher;C1;u2;;;manual;;;;\n"
        "shift;editingteacher;C1;u2;;;manual;;;;\n"
        "del;student;C2;u1;;;manual;;;;\n"
        "delete;student;C1;u1;;;manual;;;;\n"
        "disable;student;C3;u2;;;manual;;;;\n",
        {
            "enrols_courseidentifier": "shortname",
            "enrols_useridentifier": "username",
            "enrols_protectgroups": "0",
            "enrols_enableenrolondisabled": "0",
            "enrols_mailadmins": "0",
            "csvseparator": ";",
        },
        {"created": 1, "unchanged": 1, "updated": 2, "deleted": 2},
    ),
    OldFile(
        "roles alone",
        "enrolments",
        "rolename;cid;uid;cmd\nteacher;C1;u3;add\nteacher;C1;u3;del\n;C1;u2;del\n",
        {"enrols_courseidentifier": "shortname", "enrols_useridentifier": "username"},
        {"created": 1, "deleted": 2},
    ),
    OldFile(
        "idnumbers and commas",
        "enrolments",
        "rolename,cid,uid,starttime,endtime,enrol\nstudent,IDC3,U1,2026-09-01 08:00:00,2027-06-30 18:00:00,manual\n",
        {"enrols_courseidentifier": "idnumber", "enrols_useridentifier": "idnumber", "csvseparator": ","},
        {"created": 1},
    ),
    OldFile(
        "courses in new categories",
        "courses",
        "shortname;fullname;category;idnumber;summary;format;startdate;lang;visible;newsitems;groupmode;self;"
        "guest;topic0;topic1;topic2;teacher1_account;teacher1_role\n"
        'HIST2;"Histoire 2nde";Lycée/2nde/Histoire;H2;"<p>Cours d\'""histoire""</p>";topics;2026-09-01;fr;1;5;'
        "1;1;0;;Antiquité|Rome et la Grèce;Moyen Âge;u1@x.org;editingteacher\n"
        "GEO2;Géographie 2nde;Lycée/2nde/Géographie;;;weeks;2026-09-01 08:00:00;;1;0;0;0;1;;;;u2;\n"
        "MATH;Maths;/Lycée/2nde/;M2;;;;;;;;;;;;;;\n",
        {
            "courses_fileuploadidentifier": "shortname",
            "courses_coursecategoryidentifier": "idname",
            "csvseparator": ";",
        },
        {"created": 3},
    ),
    OldFile(
        "course deletion list",
        "courses_delete",
        "( cours de l'an dernier )\nC3\n\nC4\n",
        {"courses_filedeleteidentifier": "shortname"},
        {"deleted": 2},
    ),
    OldFile(
        "course check list",
        "courses_check",
        "C1;Cours 1\nC9;absent\n",
        {"courses_existfileidentifier": "shortname"},
        {"unchanged": 2},
    ),
    OldFile(
        "metacourses",
        "courses_meta",
        "master;meta\nC1;C2\nC2;C3\n",
        {"courses_filemetabindingidentifier": "shortname"},
        {"created": 2},
    ),
    OldFile(
        "reset with old columns",
        "courses_reset",
        "shortname;roles;local_roles;completion;grades;groups;groupings;blog_associations;events;logs;notes;c"
        "omments;modules;forum_all;glossary_all;chat;data;slots;apointments;assignment_submissions;assign_sub"
        "missions;survey_answers;lesson;choice;scorm;quiz_attempts\n"
        "C1;student;all;yes;grades;members;;yes;yes;yes;no;yes;-quiz assign;1;0;;;;;;1;;;;;1\n"
        "C2;student teacher guest;none;no;items;;;no;no;no;no;no;;;;;;;;;;;;;;\n",
        {"courses_fileresetidentifier": "shortname"},
        {"updated": 2},
    ),
    OldFile(
        "groups and groupings",
        "groups",
        "type;courseid;name;idnumber;description;selfgrouping;grouping\n"
        "group;C1;TD A;TDA;Groupe A;1;\n"
        "grouping;C1;Langues;LV;;;\n"
        "group;C1;Anglais;ANG;;0;LV\n",
        {
            "groups_courseidentifier": "shortname",
            "groups_groupidentifier": "idnumber",
            "groups_groupingidentifier": "idnumber",
            "groups_autogrouping": "0",
        },
        {"created": 3},
    ),
    OldFile(
        "groups that are changed",
        "groups",
        "courseid;name;idnumber;updateid;description\nC1;Groupe un;G1;G1;neu\nC1;Neu;N;NN;\n",
        {"groups_courseidentifier": "shortname"},
        {"updated": 1, "created": 1},
    ),
    OldFile(
        "group members",
        "groupmembers",
        "cmd;courseid;groupid;userid\nadd;C1;G1;u2\ndel;C1;G1;u1\nshift;C1;G2;u2\n",
        {
            "groups_courseidentifier": "shortname",
            "groups_useridentifier": "username",
            "groups_groupidentifier": "idnumber",
        },
        {"created": 1, "deleted": 1, "updated": 1},
    ),
    OldFile(
        "cohorts",
        "cohorts",
        "cmd;cname;cidnumber;cdescription;ccatcontext;component;userid\n"
        "add;Première ES;1ES;;;;u1\n"
        "add;Première ES;1ES;;;;u2\n"
        "add;Clubs;CLUB;Les clubs;1;;\n"
        "del;K1;K1;;;;u1\n",
        {
            "cohorts_cohortidentifier": "idnumber",
            "cohorts_useridentifier": "username",
            "cohorts_autocreate": "1",
            "cohorts_syncdelete": "1",
        },
        {"created": 3, "deleted": 1},
    ),
    OldFile(
        "emptied cohorts",
        "cohorts",
        "cmd;cidnumber\nfree;K1\ndel;K2\n",
        {"cohorts_cohortidentifier": "idnumber", "cohorts_useridentifier": "username", "cohorts_syncdelete": "1"},
        {"updated": 1, "deleted": 1},
    ),
    OldFile(
        "cohorts in courses",
        "cohort_courses",
        "cmd;cohort;course;role;enrol;makegroup;enrolstart;enrolend\n"
        "add;K1;C1;student;cohort;0;;\n"
        "add;K2;C1;;;;;\n"
        "del;K1;C3;*;;;;\n"
        "restore;K1;C3;student;cohort;;;\n",
        {
            "cohorts_cohortidentifier": "idnumber",
            "cohorts_courseidentifier": "shortname",
            "cohorts_roleidentifier": "shortname",
        },
        {"created": 2, "updated": 2},
    ),
    OldFile(
        "tabs and CR",
        "enrolments",
        "cmd\trolename\tcid\tuid\tenrol\radd\tstudent\tC2\tu4\tmanual\r",
        {"enrols_courseidentifier": "shortname", "enrols_useridentifier": "username"},
        {"created": 1},
    ),
    OldFile(
        "quoted cells",
        "courses",
        'shortname;fullname;category;summary\n"GEO3";"Géo 3";"Lycée";""\n"GEO4";"Géo ""4""";1;"a;b"\n',
        {"courses_fileuploadidentifier": "shortname"},
        {"created": 2},
    ),
    OldFile(
        "byte order mark and separator at the end",
        "users",
        "\ufeffusername;firstname;lastname;idnumber;\nz;Z;Z;N9;\n",
        USERS,
        {"created": 1},
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("old") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    site.keep_as_template()
    yield site
    site.engine.dispose()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_old_plugin_works_unchanged(site: MoodleSite, file: OldFile) -> None:
    site.restore_template()
    result = run_file(site, file.key, file.text.encode(file.encoding), **file.options)
    assert result.counts == file.counts, result.report
