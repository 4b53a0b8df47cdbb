"""The cases of users.md section 11: users. user100 has the id 102 and is suspended, user21 is 23, user50 is 52."""

from __future__ import annotations

from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite

BY_USERNAME = {"primaryidentity": "username"}
USER100 = "user100;First100;Läst100"
USER21 = "user21;First21;Läst21"
NAMES = "username;firstname;lastname"

NO_PRIVACY_REQUEST = Allowed(
    "tool_dataprivacy_request", "inserted", "whether the data is to be erased as well is for a person to decide"
)
_PASSWORD_BY_TASK = (
    Allowed(
        "user", "inserted", "the password is left to Moodle's own task, which sends it to the user",
        ("password",), side="differs",
    ),
    Allowed(
        "user_preferences", "inserted", "what makes Moodle's task generate the password",
        side="extra", where={"name": "create_password"},
    ),
)  # fmt: skip


def _passwords_expire(site: MoodleSite) -> None:
    site.execute("UPDATE {config_plugins} SET value = '1' WHERE plugin = 'auth_manual' AND name = 'expiration'")


def _new_user(site: MoodleSite) -> int:
    return site.one("user", username="gold5")["id"]


# A choice that a menu doesn't have rejects the row here; Moodle stores an empty one.
FAMILIES = {"user_": ("user_picture_", "user_profile_fields_menu_invalid")}

CASES = (
    Case(
        "user_create_minimal", "users",
        f"{NAMES};password;email;auth;timezone\ngold1;Gold;One;Passw0rd!g;gold1@example.org;manual;99\n",
        BY_USERNAME, password="Passw0rd!g",
    ),
    Case(
        "user_create_full", "users",
        f"{NAMES};password;email;auth;mnethostid;idnumber;emailstop;phone1;phone2;institution;department;address;city;country;"
        "lang;theme;timezone;description;mailformat;maildigest;maildisplay;autosubscribe;trackforums;imagealt;"
        "lastnamephonetic;firstnamephonetic;middlename;alternatename;calendartype;suspended\n"
        "gold2;Gôld;Two;Passw0rd!g;gold2@example.org;manual;1;G2;1;0102030405;0607080910;Inst;Dept;1 rue X;Rennes;FR;"
        "en;;Europe/Paris;<p>Hello</p>;0;2;0;0;1;alt;lnp;fnp;Mid;Alt;gregorian;0\n",
        password="Passw0rd!g",
        allowed=(
            Allowed("user", "inserted", "no column of a command file sets it", ("moodlenetprofile",), side="differs"),
        ),
    ),
    Case(
        "user_create_barest", "users", f"{NAMES};email;timezone\ngold1b;Gold;Bare;gold1b@example.org;99\n", BY_USERNAME,
        allowed=(
            Allowed(
                "user", "inserted", "the caller left both out; a user without them could never log in",
                ("confirmed", "mnethostid"), side="differs",
            ),
        ),
    ),
    Case(
        "user_create_otherauth", "users",
        f"{NAMES};password;email;auth;timezone\ngold1c;Gold;Nolog;Passw0rd!g;gold1c@example.org;nologin;99\n"
        "gold1d;Gold;Nolog;;gold1d@example.org;ldap;99\n",
        BY_USERNAME,
        # The caller says so by hand; we go by the setting.
        prepare=lambda site: site.insert("config_plugins", plugin="auth_ldap", name="preventpassindb", value="1"),
    ),
    Case(
        "user_create_external", "users",
        f"{NAMES};email;timezone;profile_field_gtext\ngold4;Gold;Four;gold4@example.org;99;ws\n",
        BY_USERNAME | {"createpasswords": True}, allowed=_PASSWORD_BY_TASK,
    ),
    Case(
        "user_create_editadvanced", "users",
        f"{NAMES};email;auth;timezone;profile_field_gtext;profile_field_gmenu\n"
        "gold3;Gold;Three;gold3@example.org;manual;99;t;Red\n",
        BY_USERNAME | {"createpasswords": True}, allowed=_PASSWORD_BY_TASK,
        tables=("user", "context", "user_info_data", "user_preferences", "cache_flags"),
        in_part="a command file has no column for interests, which are tags",
    ),
    Case(
        "user_update", "users",
        f"{NAMES};city;department;email\nuser100;Changed;Läst100;Paris;D9;changed100@example.org\n",
        BY_USERNAME | {"protectemails": False},
    ),
    Case(
        "user_update_username_idnumber", "users",
        f"oldusername;{NAMES};idnumber;auth\nuser100;renamed100;First100;Läst100;NEWID;ldap\n",
        BY_USERNAME | {"allowrename": True},
    ),
    Case(
        "user_update_nochange", "users", f"{NAMES}\n{USER100}\n", BY_USERNAME,
        allowed=(Allowed("user", "updated", "twice is harmless: nothing changed, so nothing is written", ("timemodified",)),),
    ),
    Case("user_suspend", "users_suspend", "username\nuser21\n", BY_USERNAME),
    Case("user_unsuspend", "users_restore", "username\nuser50\n", BY_USERNAME),
    Case(
        "user_password_change", "users", f"{NAMES};password\n{USER100};N3w!pass\n", BY_USERNAME, password="N3w!pass",
    ),
    Case(
        "user_password_change_tokens", "users", f"{NAMES};password\n{USER21};N3w!pass\n", BY_USERNAME, password="N3w!pass",
    ),
    Case(
        "user_password_not_cached", "users", f"{NAMES};password\n{USER100};N3w!pass\n", BY_USERNAME, password="N3w!pass",
    ),
    Case("user_password_same", "users", f"{NAMES};password\n{USER100};Passw0rd!100\n", BY_USERNAME),
    Case(
        "user_forced_password_prefs", "users", f"{NAMES};email\ngold5;Gold;Five;gold5@example.org\n",
        BY_USERNAME | {"createpasswords": True},
        tables=("user_preferences", "cache_flags"), stands_for={("user", 102): _new_user},
        in_part="only users that we create get both preferences; the rows of the user are those of user_create_*",
    ),
    Case(
        "user_preference_update_unset", "users", f"{NAMES};password\n{USER21};N3w!pass\n", BY_USERNAME,
        prepare=_passwords_expire, tables=("cache_flags",),
        in_part="no column sets these preferences; the flag is the one that any change of a preference leaves behind",
    ),
    Case(
        "user_profile_fields", "users",
        f"{NAMES};profile_field_gtext;profile_field_gtextarea;profile_field_gcheckbox;profile_field_gmenu;"
        f"profile_field_gdatetime\n{USER100};hello;<p>Area</p>;1;Blue;1600000000\n",
        BY_USERNAME,
    ),
    Case(
        "user_profile_fields_empty", "users",
        f"{NAMES};profile_field_gtext;profile_field_gtextarea;profile_field_gcheckbox;profile_field_gmenu\n"
        "user101;First101;Läst101;;;;\n",
        BY_USERNAME,
    ),
    Case(
        "user_profile_fields_update", "users",
        f"{NAMES};profile_field_gtext;profile_field_gtextarea;profile_field_gcheckbox;profile_field_gmenu;"
        f"profile_field_gdatetime\n{USER21};changed;;0;Red;\n",
        BY_USERNAME,
    ),
    Case(
        "user_profile_fields_unchanged", "users",
        f"{NAMES};profile_field_matricule;profile_field_gtext;profile_field_gcheckbox;profile_field_gmenu\n"
        f"{USER21};M021;abc;1;Green\n",
        BY_USERNAME,
    ),
    Case("user_delete", "users_delete", "username\nuser21\n", BY_USERNAME, allowed=(NO_PRIVACY_REQUEST,)),
    Case("user_delete_evidence", "users_delete", "username\nuser21\n", BY_USERNAME, allowed=(NO_PRIVACY_REQUEST,)),
    Case("user_delete_plain", "users_delete", "username\ngolddel\n", BY_USERNAME, allowed=(NO_PRIVACY_REQUEST,)),
)  # fmt: skip
