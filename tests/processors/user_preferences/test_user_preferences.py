"""Files of preferences: set, changed, unset; and what no file sets."""

from __future__ import annotations

import pytest

from sync.processors.base.overlay import Overlay
from sync.processors.registry import guess_processor
from sync.processors.user_preferences.names import is_settable
from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.5", "postgresql:5.1", "real:m41-seeded")

TEXT = "cmd;user;name;value\nset;ann;htmleditor;tiny\nset;ann;auth_forcepasswordchange;1\nunset;ann;drawer-open-nav;\n"


def run(site: MoodleSite, text: str, **options: object) -> RunResult:
    return run_file(site, "user_preferences", text, **options)  # type: ignore[arg-type] # options of the file type


def stored(site: MoodleSite) -> dict[str, str]:
    return {row["name"]: row["value"] for row in site.rows("user_preferences", userid=site.ids["ann"])}


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_preferences_are_set_changed_and_unset(moodle_site: MoodleSite, chunk_rows: int) -> None:
    moodle_site.insert("user_preferences", userid=moodle_site.ids["ann"], name="drawer-open-nav", value="1")

    result = run(moodle_site, TEXT, chunk_rows=chunk_rows)

    assert result.codes == ["preference_set", "preference_set", "preference_unset"]
    assert stored(moodle_site) == {"htmleditor": "tiny", "auth_forcepasswordchange": "1"}
    flags = moodle_site.rows("cache_flags", flagtype="userpreferenceschanged", name=str(moodle_site.ids["ann"]))
    assert len(flags) == 1, "Moodle reads the preferences of her session anew"
    before = moodle_site.snapshot()
    assert run(moodle_site, TEXT).counts == {"unchanged": 3}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert run(moodle_site, "user;name;value\nann;htmleditor;textarea\n").codes == ["preference_updated"]


def test_what_guards_accounts_is_set_by_nobody(sqlite_site: MoodleSite) -> None:
    names = "newemail newemailkey login_lockout login_lockout_secret create_password auth_token repository_dropbox_access_key"
    names += " message_processor_email_email tool_mfa_x factor_totp mnet_x some_secret my-token x_api_key"
    names += " block_x_accesstoken clientsecret"
    result = run(sqlite_site, "user;name;value\n" + "".join(f"ann;{name};x\n" for name in names.split()))
    assert {*result.codes} == {"preference_refused"}
    odd = run(sqlite_site, "user;name;value\nann;Htmleditor;x\nann;a b;x\nann;_lastloaded;1\nann;é;x\n")
    assert {*odd.codes} == {"preference_name_odd"}
    assert stored(sqlite_site) == {}


@pytest.mark.parametrize(
    "name", ["htmleditor", "auth_forcepasswordchange", "message_provider_moodle_newlogin_enabled", "drawer-open-nav"]
)
def test_what_people_prefer_can_be_set(name: str) -> None:
    assert is_settable(name)


@pytest.mark.parametrize("value", ["TRUE", "FALSE", "WAHR", "FAUX", "VERO", "ONWAAR"])
def test_what_a_spreadsheet_writes_for_yes_and_no_is_no_value(sqlite_site: MoodleSite, value: str) -> None:
    result = run(sqlite_site, f"user;name;value\nann;drawer-open-nav;true\nann;htmleditor;{value}\n")
    assert (result.codes, result.notes) == (["preference_set", "preference_is_truth"], [])
    assert stored(sqlite_site) == {"drawer-open-nav": "true"}


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_words_for_yes_and_no_are_said_since_moodle_takes_all_for_yes(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    values = ("no", "Oui", "false", "off", "nein", "0", "1", "n", "atto", "", "nobody")
    rows = "".join(f"ann;x_state{place};{value}\n" for place, value in enumerate(values))
    result = run(
        sqlite_site, f"user;name;value\n{rows}nobody;x_state;no\nann;drawer-open-nav;true\n", chunk_rows=chunk_rows
    )
    assert result.codes == [*["preference_set"] * len(values), "account_unknown", "preference_set"]
    said = [note.params for note in result.notes if note.code == "preference_word_in_rows"]
    assert said == [{"count": 5, "line": 2}]
    assert stored(sqlite_site)["x_state0"] == "no"


def test_values_are_text_that_moodle_can_hold(sqlite_site: MoodleSite) -> None:
    objects = ('O:8:"stdClass":0:{}', 'a:1:{i:0;O:1:"A":0:{}}')
    rows = "".join('ann;x_state;"' + value.replace('"', '""') + '"\n' for value in objects)
    rows += f"ann;auth_forcepasswordchange;yes\nann;x_state;{'x' * 1334}\nguest;x_state;1\nnobody;x_state;1\n"
    assert run(sqlite_site, f"user;name;value\n{rows}").codes == [
        "preference_value_odd", "preference_value_odd", "value_not_flag", "value_too_long", "preference_of_guest",
        "account_unknown",
    ]  # fmt: skip
    assert run(sqlite_site, "user;name\nann;x_state\n").codes == ["preference_without_value"]
    long = f"user;name;value\nann;x_state;{'x' * 1334}\n"
    assert run(sqlite_site, long, skipinvalidcells=True).codes == ["value_too_long"]


@pytest.mark.parametrize(
    ("auth", "settings", "code"),
    [
        ("manual", {}, "preference_set"), ("ldap", {}, "preference_locks_out"), ("oauth2", {}, "preference_locks_out"),
        ("ldap", {"changepasswordurl": "https://x.org"}, "preference_set"),
        ("ldap", {"stdchangepassword": "1"}, "preference_set"), ("nologin", {}, "preference_locks_out"),
    ],
)  # fmt: skip
def test_nobody_has_to_change_a_password_who_cant(
    sqlite_site: MoodleSite, auth: str, settings: dict[str, str], code: str
) -> None:
    sqlite_site.execute("UPDATE {user} SET auth = :auth WHERE username = 'ann'", auth=auth)
    for name, value in settings.items():
        sqlite_site.insert("config_plugins", plugin=f"auth_{auth}", name=name, value=value)
    assert run(sqlite_site, "user;name;value\nann;auth_forcepasswordchange;1\n").codes == [code]
    # What is no obligation harms nobody.
    text = "cmd;user;name;value\nset;ann;auth_forcepasswordchange;0\nunset;ann;auth_forcepasswordchange;\n"
    assert "rejected" not in run(sqlite_site, text).counts


def test_a_user_of_an_earlier_file_is_known_by_its_plugin(sqlite_site: MoodleSite) -> None:
    overlay = Overlay()
    overlay.begin_file(1)
    people = "username;firstname;lastname;auth\nnew1;N;One;oauth2\nnew2;N;Two;manual\nann;Ann;Smith;oauth2\n"
    assert "rejected" not in run_file(sqlite_site, "users", people, simulate=True, overlay=overlay).counts
    overlay.begin_file(2)
    rows = "".join(f"{name};auth_forcepasswordchange;1\n" for name in ("new1", "new2", "ann"))
    result = run(sqlite_site, f"user;name;value\n{rows}", simulate=True, overlay=overlay)
    assert result.codes == ["preference_locks_out", "preference_set", "preference_locks_out"]


def test_a_header_of_preferences_is_recognised() -> None:
    assert guess_processor({"user", "name", "value"}) == "user_preferences"


def test_preferences_that_are_called_like_what_moodle_keeps_with_users_are_said(sqlite_site: MoodleSite) -> None:
    rows = "set;ann;lang;fr\nset;ann;htmleditor;textarea\nset;ann;emailstop;1\nunset;ann;city;\n"
    for chunk_rows in (1, 100):
        result = run_file(sqlite_site, "user_preferences", f"cmd;user;name;value\n{rows}", chunk_rows=chunk_rows)
        said = {note.code: note.params for note in result.notes}
        assert said["preference_of_users_in_rows"] == {"count": 2, "line": 2}
        sqlite_site.execute("DELETE FROM {user_preferences}")
