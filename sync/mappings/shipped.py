"""Mappings that come with ToolSync, as data: files of other systems that people bring.

They are taken where a file type doesn't understand the header itself. What Moodle's own uploads call their columns it does.
A name that ends a mapping's number is raised whenever it changes: runs say which one they used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.header_keys import column_keys, own_names
from sync.mappings.steps import NO_WORDS, Constant, Copy, Join, Step, Words


@dataclass(frozen=True)
class From:
    """A column that is made from the first of several columns that the file has. Shape: names: as `column_keys` has them"""

    target: str
    names: tuple[str, ...]
    words: Words = NO_WORDS


@dataclass(frozen=True)
class ShippedMapping:
    """A mapping for all files that have certain columns.

    Shape: marks: of each of these groups the file has a column; columns: what is made where the file has it, steps made
    whole, which need all of their columns; options: what the rows mean, option -> value; rest: columns that it knows and leaves
    out are all others
    """

    name: str
    version: int
    processor: str
    marks: tuple[tuple[str, ...], ...]
    columns: tuple[From | Step, ...]
    options: Mapping[str, str] = field(default_factory=dict)

    def fits(self, spelled: Sequence[str]) -> bool:
        """Tell whether a file with this header is one of those that are meant."""
        return self.fits_keys(frozenset(column_keys(own_names(spelled))))

    def fits_keys(self, keys: frozenset[str]) -> bool:
        """Tell the same of the keys of its columns."""
        return all(not keys.isdisjoint(group) for group in self.marks)

    def for_header(self, spelled: Sequence[str]) -> ColumnMapping:
        """Return the mapping for a file that it fits; what it doesn't use is left out."""
        keys = column_keys(own_names(spelled))
        steps = tuple(step for column in self.columns if (step := _step_for(column, keys)) is not None)
        used = {source for step in steps for source in step.sources}
        return ColumnMapping(steps, tuple(key for key in keys if key not in used), self.name, self.version)


def _step_for(column: From | Step, keys: Sequence[str]) -> Step | None:
    if isinstance(column, Step):
        return column if set(column.sources).issubset(keys) else None
    source = next((name for name in column.names if name in keys), None)
    return Copy(column.target, source, words=column.words) if source is not None else None


_IS_SHOWN = Words({"active": "1", "published": "1", "completed": "1", "": "1", "tobedeleted": "0", "deleted": "0"})
_COMMANDS = Words({
    "active": "add", "": "add", "tobedeleted": "del", "deleted": "del", "deleted_last_completed": "del",
    "completed": "disable", "inactive": "disable",
})  # fmt: skip
_ROLES = Words({
    "teacher": "editingteacher", "primary": "editingteacher", "designer": "editingteacher", "proctor": "teacher",
    "aide": "teacher", "ta": "teacher",
})  # fmt: skip
# Nobody is deleted by a mapping that nobody has looked at: who is to be deleted is suspended.
_SUSPENDED_ROSTER = Words({
    "active true": "0", "active": "0", "true": "0", "active false": "1", "false": "1", "tobedeleted true": "1",
    "tobedeleted false": "1", "tobedeleted": "1", "inactive true": "1", "inactive false": "1", "inactive": "1",
})  # fmt: skip
_SUSPENDED_CANVAS = Words({"active": "0", "": "0", "suspended": "1", "deleted": "1"})
_BY_NUMBER = {"useridentifier": "idnumber"}

_STUDENT_NUMBER = (
    "n° étudiant", "n°étudiant", "no étudiant", "num étudiant", "num. étudiant", "numéro étudiant", "numéro d'étudiant",
    "n° d'étudiant", "n° etudiant", "no etudiant", "numero etudiant", "code étudiant", "code etudiant", "cod_etu",
    "n° apprenant", "code apprenant", "numéro apprenant",
)  # fmt: skip
_FAMILY_NAME = (
    "nom usuel",
    "nom d'usage",
    "nom",
    "nom de famille",
    "nom de naissance",
    "nom patronymique",
    "lib_nom_pat_ind",
)
_GIVEN_NAME = ("prénom usuel", "prénom", "prenom", "prénoms", "prénom 1", "1er prénom", "lib_pr1_ind")
_FRENCH_MAIL = (
    "courriel institutionnel", "courriel", "adresse mail institutionnelle", "adresse mail", "adresse e-mail",
    "adresse électronique", "adresse courriel", "e-mail", "mail", "email", "mèl", "mél",
)  # fmt: skip
_LOGIN = ("login", "identifiant", "identifiant ent", "identifiant de connexion", "nom d'utilisateur", "uid")
_STAGE = ("code étape", "code etape", "cod_etp", "code vet", "code formation")

SHIPPED: tuple[ShippedMapping, ...] = (
    ShippedMapping(
        "OneRoster users.csv", 1, "users",
        (("sourcedid",), ("username",), ("givenname",), ("familyname",)),
        (
            From("username", ("username",)), From("firstname", ("givenname",)), From("lastname", ("familyname",)),
            From("middlename", ("middlename",)), From("email", ("email",)), From("idnumber", ("sourcedid",)),
            From("phone1", ("phone",)), From("phone2", ("sms",)), From("password", ("password",)),
            Join("suspended", ("status", "enableduser"), words=_SUSPENDED_ROSTER),
        ),
    ),
    ShippedMapping(
        "OneRoster classes.csv", 1, "courses",
        (("sourcedid",), ("title",), ("coursesourcedid",)),
        (
            From("shortname", ("sourcedid",)), From("fullname", ("title",)), From("idnumber", ("sourcedid",)),
            From("visible", ("status",), _IS_SHOWN),
        ),
    ),
    ShippedMapping(
        "OneRoster courses.csv", 1, "courses",
        (("sourcedid",), ("title",), ("coursecode",), ("orgsourcedid",)),
        (
            From("shortname", ("sourcedid",)), From("fullname", ("title",)), From("idnumber", ("sourcedid",)),
            From("visible", ("status",), _IS_SHOWN),
        ),
    ),
    ShippedMapping(
        "OneRoster enrollments.csv", 1, "enrolments",
        (("sourcedid",), ("classsourcedid",), ("usersourcedid",), ("role",)),
        (
            From("cmd", ("status",), _COMMANDS), From("cid", ("classsourcedid",)), From("uid", ("usersourcedid",)),
            From("rolename", ("role",), _ROLES), From("starttime", ("begindate",)), From("endtime", ("enddate",)),
            Constant("enrol", "manual"),
        ),
        _BY_NUMBER,
    ),
    ShippedMapping(
        "Canvas SIS users.csv", 1, "users",
        (("user_id",), ("login_id",), ("first_name",), ("last_name",)),
        (
            From("username", ("login_id",)), From("firstname", ("first_name",)), From("lastname", ("last_name",)),
            From("email", ("email",)), From("idnumber", ("user_id",)), From("password", ("password",)),
            From("suspended", ("status",), _SUSPENDED_CANVAS),
        ),
    ),
    ShippedMapping(
        "Canvas SIS courses.csv", 1, "courses",
        (("course_id",), ("short_name",), ("long_name",)),
        (
            From("shortname", ("course_id",)), From("fullname", ("long_name",)), From("idnumber", ("course_id",)),
            From("startdate", ("start_date",)), From("enddate", ("end_date",)), From("visible", ("status",), _IS_SHOWN),
        ),
    ),
    ShippedMapping(
        "Canvas SIS sections.csv", 1, "groups",
        (("section_id",), ("course_id",), ("name",), ("status",)),
        (
            Constant("type", "group"), From("courseid", ("course_id",)), From("name", ("name",)),
            From("idnumber", ("section_id",)),
        ),
    ),
    ShippedMapping(
        "Canvas SIS enrollments.csv", 1, "enrolments",
        (("course_id",), ("user_id",), ("role",), ("status",)),
        (
            From("cmd", ("status",), _COMMANDS), From("cid", ("course_id",)), From("uid", ("user_id",)),
            From("rolename", ("role",), _ROLES), From("starttime", ("start_date",)), From("endtime", ("end_date",)),
            Constant("enrol", "manual"),
        ),
        _BY_NUMBER,
    ),
    ShippedMapping(
        "Apogée, Pégase: étudiants", 1, "users",
        (_STUDENT_NUMBER, _FAMILY_NAME, _GIVEN_NAME),
        (
            From("username", (*_LOGIN, *_STUDENT_NUMBER)), From("lastname", _FAMILY_NAME), From("firstname", _GIVEN_NAME),
            From("idnumber", _STUDENT_NUMBER), From("email", _FRENCH_MAIL), From("cohort1", _STAGE),
            From("institution", ("établissement",)), From("department", ("composante", "libellé composante")),
            From("phone1", ("téléphone", "téléphone fixe", "tél", "tél.")),
            From("phone2", ("portable", "téléphone portable", "tél. portable", "mobile")),
            From("city", ("ville", "commune")),
        ),
    ),
    ShippedMapping(
        "Apogée, Pégase: inscriptions pédagogiques", 1, "enrolments",
        (_STUDENT_NUMBER, ("code elp", "cod_elp", "code élément pédagogique", "code ec", "code objet formation")),
        (
            From("uid", _STUDENT_NUMBER),
            From("cid", ("code elp", "cod_elp", "code élément pédagogique", "code ec", "code objet formation")),
            Constant("rolename", "student"), Constant("enrol", "manual"),
        ),
        _BY_NUMBER,
    ),
)  # fmt: skip


def shipped_mapping(name: str, version: int) -> ShippedMapping | None:
    """Return the mapping of this name and version."""
    return next((found for found in SHIPPED if (found.name, found.version) == (name, version)), None)


def shipped_types(spelled: Sequence[str]) -> set[str]:
    """Return the keys of the file types that a mapping of ours makes of a header."""
    keys = frozenset(column_keys(own_names(spelled)))
    return {found.processor for found in SHIPPED if found.fits_keys(keys)}


def shipped_for(processor: str, spelled: Sequence[str]) -> ShippedMapping | None:
    """Return the mapping that fits a header, of those for a file type; the one that asks for most."""
    fitting = [found for found in SHIPPED if found.processor == processor and found.fits(spelled)]
    return max(fitting, key=lambda found: len(found.marks), default=None)
