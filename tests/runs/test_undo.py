"""What somebody changed since a run is kept and listed, and what can't be undone is refused with a sentence."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.errors import CodedError, RunNotClaimable
from sync.messages import text_of
from sync.models import CommandFile, GraceEntry, MoodleSite as OurSite, RunState, SyncRun
from sync.moodle.db.database import MoodleSession
from sync.runs import decisions, services
from sync.runs.recorder import RunRecorder
from sync.runs.rights import OPERATOR
from sync.runs.undo import undo_run
from sync.values import Action, Outcome
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.processors.courses.test_fillings import activity, subsections
from tests.runs.test_interruptions import die_at
from tests.runs.undo_checks import bring_in_order, check_round_trip, check_same, outcomes, undo

NEW_USERS = "username;firstname;lastname;email\nnew1;New;One;new1@x.org\nnew2;New;Two;new2@x.org\n"
ANN = "username;firstname;lastname;email;city\nann;Ann;Changed;ann@x.org;Oslo\n"
NEW_GROUP = "type;courseid;name;idnumber;grouping\ngrouping;C1;Labs;LABS;\ngroup;C1;Monday;;LABS\n"
NEW_COURSE = "shortname;fullname;category;topic1\nNEW;New course;Some/Where;First\n"


def add(installation: Installation, key: str, content: str, **options: Any) -> SyncRun:
    run = installation.carry_out("/in.csv", content, processor=key, **options)
    assert run.state == RunState.COMPLETED, (run.counts, run.error_code, run.error_params)
    return run


def of(run: SyncRun, subject: str) -> Outcome:
    (found,) = [outcome for outcome in outcomes(run) if outcome.subject == subject]
    return found


def check_sum(run: SyncRun) -> None:
    """Every row that the undone run changed is told of once."""
    assert len({outcome.subject for outcome in outcomes(run)}) == sum(run.counts.values())
    assert run.counts == Counter(outcome.action.value for outcome in outcomes(run))


def test_a_column_that_somebody_changed_since_is_kept_and_the_others_change_back(installation: Installation) -> None:
    moodle = installation.moodle
    ann = moodle.ids["ann"]
    before = moodle.one("user", id=ann)
    run = add(installation, "users", ANN, protectemails=0)
    moodle.execute("UPDATE {user} SET city = 'Bergen' WHERE id = :ann", ann=ann)
    undone = undo(run)
    assert moodle.one("user", id=ann) == {**before, "city": "Bergen"}
    told = of(undone, f"user {ann}")
    assert (told.action, told.code, told.params) == (Action.PARTIAL, "undo_columns_kept", {"columns": "city"})
    assert undone.state_label == "Completed in part"
    check_sum(undone)


def test_a_row_that_somebody_changed_in_the_same_columns_is_kept_and_listed(installation: Installation) -> None:
    moodle = installation.moodle
    add(installation, "users_suspend", "username;suspended\nann;1\n")
    run = add(installation, "users_suspend", "username;suspended\nann;0\n")
    moodle.execute("UPDATE {user} SET suspended = 2 WHERE username = 'ann'")
    undone = undo(run)
    told = of(undone, f"user {moodle.ids['ann']}")
    assert (told.action, told.code, told.params) == (Action.UNCHANGED, "undo_kept_columns", {"columns": "suspended"})
    assert undone.state == RunState.COMPLETED
    assert "somebody has changed it since the run (suspended)" in installation.own_file(undone, "report")


def test_times_that_moodle_writes_by_itself_keep_nothing_back(installation: Installation) -> None:
    moodle = installation.moodle
    before = moodle.one("user", username="ann")
    run = add(installation, "users", ANN)
    moodle.execute("UPDATE {user} SET timemodified = 7 WHERE username = 'ann'")
    assert undo(run).state == RunState.COMPLETED
    assert moodle.one("user", username="ann") == {**before, "timemodified": 7}


def test_who_is_logged_in_is_told_that_a_course_is_back_in_its_category(installation: Installation) -> None:
    moodle = installation.moodle
    context = {"contextlevel": 50, "instanceid": moodle.ids["C1"]}
    before = moodle.one("context", **context)["path"]
    run = add(installation, "courses", "shortname;fullname;category\nC1;Course 1;Some/Where\n", forceupdate=1)
    assert moodle.one("context", **context)["path"] != before
    moodle.execute("DELETE FROM {cache_flags}")
    undo(run)
    assert moodle.one("context", **context)["path"] == before
    assert before in {flag["name"] for flag in moodle.rows("cache_flags", flagtype="accesslib/dirtycontexts")}


def test_a_new_user_who_was_enrolled_since_is_kept_whole_and_the_other_goes(installation: Installation) -> None:
    moodle = installation.moodle
    run = add(installation, "users", NEW_USERS)
    new1, new2 = (moodle.one("user", username=name)["id"] for name in ("new1", "new2"))
    contexts = moodle.rows("context", instanceid=new1, contextlevel=30)
    moodle.insert("user_enrolments", enrolid=moodle.ids["C1 manual"], userid=new1)
    undone = undo(run)
    assert [row["username"] for row in moodle.rows("user", firstname="New")] == ["new1"]
    assert moodle.rows("context", instanceid=new1, contextlevel=30) == contexts != []
    assert moodle.rows("context", instanceid=new2, contextlevel=30) == []
    told = of(undone, f"user {new1}")
    assert (told.action, told.code) == (Action.UNCHANGED, "undo_use_named")
    assert told.params == {"owner": f"user {new1}", "table": "user_enrolments"}
    check_sum(undone)


def test_names_that_were_exchanged_are_exchanged_back(installation: Installation, settings: Settings) -> None:
    moodle = installation.moodle
    add(
        installation, "users", "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n", primaryidentity="username"
    )
    before = moodle.snapshot()
    settings.TOOLSYNC_CHUNK_ROWS = 1
    swap = "oldusername;username;firstname;lastname;email\n" + "".join(
        f"{old};{new};{person}\n"
        for old, new, person in (
            ("ann", "aside", "Ann;Smith;ann@x.org"),
            ("bob", "ann", "Bob;King;bob@x.org"),
            ("aside", "bob", "Ann;Smith;ann@x.org"),
        )
    )  # fmt: skip
    run = add(installation, "users", swap, primaryidentity="username", allowrename=1)
    assert {row["username"]: row["firstname"] for row in moodle.rows("user")}["ann"] == "Bob"
    settings.TOOLSYNC_CHUNK_ROWS = 1000
    check_round_trip(installation, run, before)


@pytest.mark.parametrize("change", ["lastaccess = 5", "lastname = 'Married'"])
def test_a_new_user_who_logged_in_or_was_changed_is_kept(installation: Installation, change: str) -> None:
    run = add(installation, "users", NEW_USERS)
    installation.moodle.execute(f"UPDATE {{user}} SET {change} WHERE username = 'new1'")
    undone = undo(run)
    assert [row["username"] for row in installation.moodle.rows("user", firstname="New")] == ["new1"]
    assert "undo_use_changed" in {outcome.code for outcome in outcomes(undone)}


def test_a_new_course_that_got_an_activity_since_is_kept_with_its_categories(installation: Installation) -> None:
    moodle = installation.moodle
    bring_in_order(moodle)
    run = add(installation, "courses", NEW_COURSE)
    course = moodle.one("course", shortname="NEW")
    after = moodle.snapshot()
    module = moodle.insert("course_modules", course=course["id"], module=1, instance=1)
    undone = undo(run)
    moodle.execute("DELETE FROM {course_modules} WHERE id = :module", module=module)
    check_same(after, moodle.snapshot())
    assert undone.state == RunState.COMPLETED
    assert of(undone, f"course {course['id']}").params == {"owner": f"course {course['id']}", "table": "course_modules"}
    category = moodle.one("course_categories", id=course["category"])
    assert of(undone, f"course_categories {category['id']}").code == "undo_use_named"


def test_a_course_at_which_somebody_only_looked_goes(installation: Installation) -> None:
    moodle = installation.moodle
    run = add(installation, "courses", NEW_COURSE)
    course = moodle.one("course", shortname="NEW")["id"]
    moodle.insert("user_lastaccess", userid=moodle.ids["ann"], courseid=course, timeaccess=5)
    undo(run)
    assert moodle.rows("course", shortname="NEW") == []


def test_a_new_group_that_got_a_member_since_is_kept(installation: Installation) -> None:
    moodle = installation.moodle
    run = add(installation, "groups", NEW_GROUP)
    group = moodle.one("groups", name="Monday")["id"]
    moodle.insert("groups_members", groupid=group, userid=moodle.ids["ann"])
    undone = undo(run)
    told = of(undone, f"groups {group}")
    assert (told.code, told.params["table"]) == ("undo_use_named", "groups_members")
    assert moodle.rows("groups", id=group)
    assert moodle.rows("groupings", name="Labs") == []


def test_what_somebody_deleted_since_is_as_before_or_kept(installation: Installation) -> None:
    moodle = installation.moodle
    made = add(installation, "groups", NEW_GROUP)
    moodle.execute("DELETE FROM {groupings_groups} WHERE 1 = 1")
    undone = undo(made)
    assert "undo_as_before" in {outcome.code for outcome in outcomes(undone)}
    assert moodle.rows("groups", name="Monday") == []
    changed = add(installation, "users", ANN)
    moodle.execute("DELETE FROM {user} WHERE username = 'ann'")
    assert of(undo(changed), f"user {moodle.ids['ann']}").code == "undo_kept_gone"


def test_a_deleted_course_whose_short_name_is_taken_stays_away_with_all_that_is_its_own(
    installation: Installation,
) -> None:
    moodle = installation.moodle
    run = add(installation, "courses_delete", "C1\n")
    other = moodle.insert("course", category=1, shortname="C1", fullname="Another one")
    undone = undo(run)
    assert moodle.rows("course", id=moodle.ids["C1"]) == []
    assert moodle.rows("enrol", courseid=moodle.ids["C1"]) == []
    assert moodle.rows("context", contextlevel=50, instanceid=moodle.ids["C1"]) == []
    told = of(undone, f"course {moodle.ids['C1']}")
    assert (told.action, told.code) == (Action.REJECTED, "undo_key_taken")
    assert told.params["id"] == other
    # Once the name is free, the run is undone once more.
    moodle.execute("UPDATE {course} SET shortname = 'other' WHERE id = :other", other=other)
    assert undo(run).state == RunState.COMPLETED
    assert moodle.one("course", shortname="C1")["id"] == moodle.ids["C1"]


def test_a_run_whose_before_images_are_gone_in_part_is_not_undone(
    installation: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    run = add(installation, "users", NEW_USERS + "new1;New;One;new1@x.org\n")
    # The last row changed nothing, and has none.
    assert [bool(chunk.journal_key) for chunk in run.chunks.all()] == [True, True, False]
    services.execute_run(undo_run(run, simulate=True).pk)
    run.chunks.filter(last_line=2).update(journal_key="")
    with pytest.raises(CodedError, match="undo_journal_old"):
        undo_run(run)


def test_a_simulated_undo_is_not_applied_once_its_run_has_gone_on(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    run = installation.queue("/in.csv", NEW_USERS, processor="users")
    die_at(monkeypatch, run, "confirm", 1, before=False)
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.CANCELLED, finished_at=timezone.now())
    run.refresh_from_db()
    simulated = undo(run, simulate=True)
    services.resume_run(run)
    assert services.execute_run(run.pk).state == RunState.COMPLETED

    with pytest.raises(CodedError, match="undo_went_on"):
        decisions.apply_plan(SyncRun.objects.get(pk=simulated.pk), OPERATOR)

    assert len(installation.moodle.rows("user", firstname="New")) == 2
    run.refresh_from_db()
    assert undo(run).state == RunState.COMPLETED


def protect(installation: Installation, userid: int) -> None:
    """Make somebody a site administrator."""
    moodle = installation.moodle
    ids = f"{moodle.one('config', name='siteadmins')['value']},{userid}"
    moodle.execute("UPDATE {config} SET value = :ids WHERE name = 'siteadmins'", ids=ids)


def test_whoever_is_an_administrator_by_now_is_not_changed_back(installation: Installation) -> None:
    moodle = installation.moodle
    ann = moodle.ids["ann"]
    run = add(installation, "users", ANN.replace("\n", ";password\n", 1).replace("Oslo", "Oslo;New-Secret-1"))
    protect(installation, ann)
    before = moodle.snapshot()
    undone = undo(run)
    assert MoodleSite.diff(before, moodle.snapshot()) == {}
    told = of(undone, f"user {ann}")
    assert (told.action, told.code, told.params) == (Action.REJECTED, "account_protected", {"username": "ann"})
    check_sum(undone)


def test_an_undo_of_an_undo_deletes_no_administrator(installation: Installation) -> None:
    moodle = installation.moodle
    run = add(installation, "users", NEW_USERS)
    again = undo(undo(run))
    assert again.state == RunState.COMPLETED
    new1 = moodle.one("user", username="new1")["id"]
    protect(installation, new1)
    contexts = moodle.rows("context", instanceid=new1, contextlevel=30)
    undone = undo(again)
    assert [row["username"] for row in moodle.rows("user", firstname="New")] == ["new1"]
    assert moodle.rows("context", instanceid=new1, contextlevel=30) == contexts
    assert of(undone, f"user {new1}").code == "account_protected"
    check_sum(undone)


def test_a_role_that_configures_the_site_by_now_is_not_given_back(installation: Installation) -> None:
    moodle = installation.moodle
    system = moodle.one("context", contextlevel=10)["id"]
    ann = {"userid": moodle.ids["ann"], "component": "", "itemid": 0}
    role = moodle.one("role", shortname="coursecreator")["id"]
    moodle.insert("role_assignments", roleid=role, contextid=system, **ann)
    moodle.insert("role_assignments", roleid=role, contextid=moodle.ids["C1 context"], **ann)
    run = add(installation, "roles", "cmd;context;userid;role\ndel;system;ann;coursecreator\n")
    deleted = add(installation, "courses_delete", "C1\n")
    permission = {"capability": "moodle/site:config", "permission": 1}
    moodle.insert("role_capabilities", roleid=role, contextid=system, **permission)
    assert undo(deleted).state == RunState.COMPLETED
    assert moodle.rows("role_assignments", roleid=role, contextid=moodle.ids["C1 context"])
    undone = undo(run)
    assert [(outcome.action, outcome.code) for outcome in outcomes(undone)] == [
        (Action.REJECTED, "role_configures_site")
    ]
    assert moodle.rows("role_assignments", roleid=role, contextid=system) == []


def test_a_role_that_somebody_gave_again_since_does_not_come_back_beside_it(installation: Installation) -> None:
    moodle = installation.moodle
    enrolment = "cmd;cid;uid;rolename;enrol\n{};C1;ann;student;manual\n"
    add(installation, "enrolments", enrolment.format("add"))
    run = add(installation, "enrolments", enrolment.format("del"))
    add(installation, "enrolments", enrolment.format("add"))
    (given,) = moodle.rows("role_assignments", userid=moodle.ids["ann"])

    simulated, undone = undo(run, simulate=True), undo(run)

    assert moodle.rows("role_assignments", userid=moodle.ids["ann"]) == [given]
    assert {outcome.code for outcome in (*outcomes(simulated), *outcomes(undone))} == {"undo_key_taken"}
    assert {outcome.params["id"] for outcome in outcomes(undone) if "role" in outcome.subject} == {given["id"]}
    moodle.execute("DELETE FROM {role_assignments} WHERE id = :id", id=given["id"])
    undo(run)
    (back,) = moodle.rows("role_assignments", userid=moodle.ids["ann"])
    assert back["id"] != given["id"]


def test_roles_that_stood_there_twice_come_back_as_they_were(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    moodle = installation.moodle
    role = moodle.one("role", shortname="student")["id"]
    alike = {"userid": moodle.ids["ann"], "contextid": moodle.ids["C1 context"], "component": "", "itemid": 0}
    moodle.insert("user_enrolments", enrolid=moodle.ids["C1 manual"], userid=moodle.ids["ann"])
    for _row in range(2):
        moodle.insert("role_assignments", roleid=role, **alike)
    before = moodle.rows("role_assignments")
    run = add(installation, "enrolments", "cmd;cid;uid;rolename;enrol\ndel;C1;ann;student;manual\n")
    assert moodle.rows("role_assignments") == []

    assert undo(run).state == RunState.COMPLETED

    assert moodle.rows("role_assignments") == before


def test_a_course_comes_back_with_the_administrators_in_it(installation: Installation) -> None:
    moodle = installation.moodle
    admin = moodle.one("user", username="admin")["id"]
    moodle.insert("user_enrolments", enrolid=moodle.ids["C1 manual"], userid=admin)
    before = moodle.rows("user_enrolments", userid=admin)
    assert undo(add(installation, "courses_delete", "C1\n")).state == RunState.COMPLETED
    assert moodle.rows("user_enrolments", userid=admin) == before


def test_an_enrolment_of_somebody_who_is_deleted_by_now_stays_away(installation: Installation) -> None:
    moodle = installation.moodle
    add(installation, "enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n")
    run = add(installation, "enrolments", "cmd;cid;uid;rolename;enrol\ndel;C1;ann;student;manual\n")
    moodle.execute("UPDATE {user} SET deleted = 1 WHERE username = 'ann'")
    undone = undo(run)
    assert moodle.rows("user_enrolments") == []
    assert {outcome.code for outcome in outcomes(undone)} >= {"undo_parent_gone"}
    assert undone.state == RunState.COMPLETED_WITH_REJECTIONS


def test_what_the_run_put_on_the_list_of_deletions_comes_off_it(installation: Installation) -> None:
    run = add(installation, "users_delete", "username\nann\n", gracedays=30)
    assert GraceEntry.objects.filter(closed=0).count() == 1
    undo(run, simulate=True)
    assert GraceEntry.objects.filter(closed=0).count() == 1
    assert undo(run).state == RunState.COMPLETED
    assert not GraceEntry.objects.filter(closed=0).exists()
    assert installation.moodle.one("user", username="ann")["suspended"] == 0


def test_sessions_that_ended_stay_ended_and_are_told_of(installation: Installation) -> None:
    moodle = installation.moodle
    session = moodle.insert("sessions", sid="s", userid=moodle.ids["ann"], state=0, timecreated=1, timemodified=1)
    undone = undo(add(installation, "users_suspend", "username\nann\n"))
    assert moodle.rows("sessions") == []
    assert of(undone, f"sessions {session}").code == "undo_kept_session"
    assert moodle.one("user", username="ann")["suspended"] == 0


def test_rows_whose_ids_the_server_does_not_tell_are_found_by_their_values(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in_order(installation.moodle)
    before = installation.moodle.snapshot()
    original = vars(MoodleSession)["capabilities"]
    with monkeypatch.context() as patch:
        patch.setattr(
            MoodleSession,
            "capabilities",
            property(lambda self: replace(original.func(self), returns_ids=False)),
        )
        run = add(installation, "users", NEW_USERS)
    check_round_trip(installation, run, before)


@pytest.mark.parametrize("chunk_rows", [1, 7])
def test_it_does_not_depend_on_where_chunks_end(installation: Installation, settings: Any, chunk_rows: int) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows
    bring_in_order(installation.moodle)
    add(
        installation, "enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\nadd;C2;ann;student;manual\n"
    )
    before = installation.moodle.snapshot()
    check_round_trip(installation, add(installation, "courses_delete", "C1\nC2\n"), before)
    check_round_trip(installation, add(installation, "courses", NEW_COURSE), before)


@pytest.mark.parametrize(
    ("method", "before"),
    [("prepare", True), ("prepare", False), ("confirm", True), ("confirm", False), ("settle", True)],
)
def test_an_undo_whose_worker_dies_goes_on_as_if_nothing_had_happened(
    installation: Installation, settings: Any, monkeypatch: pytest.MonkeyPatch, method: str, before: bool
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 5
    settings.TOOLSYNC_RETRY_SECONDS = 60
    bring_in_order(installation.moodle)
    as_it_was = installation.moodle.snapshot()
    run = add(installation, "courses", NEW_COURSE)
    undone = undo_run(run)
    die_at(monkeypatch, undone, method, 1 if method == "settle" else 3, before=before)
    ended = services.execute_run(undone.pk)
    check_same(as_it_was, installation.moodle.snapshot(), outcomes(ended))
    assert (ended.state, len(outcomes(ended))) == (RunState.COMPLETED, sum(ended.counts.values()))
    check_sum(ended)


# --- what is refused ------------------------------------------------------------------------------------------------


def refusal(run: SyncRun, **given: Any) -> str:
    runs = SyncRun.objects.count()
    with pytest.raises(CodedError) as refused:
        undo_run(run, **given)
    assert SyncRun.objects.count() == runs
    return text_of(refused.value.code, refused.value.params)


def test_what_cannot_be_undone_is_refused_with_a_sentence(installation: Installation) -> None:
    assert "was a simulation" in refusal(installation.carry_out("/in.csv", NEW_USERS, simulate=True))
    assert "is still at work" in refusal(installation.queue("/other.csv", NEW_USERS))
    SyncRun.objects.filter(state=RunState.QUEUED).update(state=RunState.CANCELLED)
    run = add(installation, "users", NEW_USERS)
    assert "nothing to undo" in refusal(add(installation, "users", NEW_USERS))
    other = OurSite.objects.create(slug="other", name="Other")
    assert "belongs to the site" in refusal(run, site=other)
    undone = undo(run)
    assert f"undone already, by run {undone.pk}" in refusal(run)
    again = undo(undone)
    assert undo(run).state == RunState.COMPLETED
    assert again.state == RunState.COMPLETED


def test_a_run_that_is_being_undone_is_not_undone_a_second_time(installation: Installation) -> None:
    run = add(installation, "users", NEW_USERS)
    undo_run(run)
    assert "is undoing run" in refusal(run)


def test_a_run_that_was_undone_is_not_taken_up_again(installation: Installation) -> None:
    run = add(installation, "users", NEW_USERS)
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.CANCELLED)
    run.refresh_from_db()
    undo(run)
    with pytest.raises(RunNotClaimable, match="was undone"):
        services.resume_run(run)


def test_what_takes_much_away_waits_for_a_person(installation: Installation, settings: Any) -> None:
    content = "username;firstname;lastname;email\n" + "".join(f"n{n};New;N;n{n}@x.org\n" for n in range(60))
    run = add(installation, "users", content)
    settings.TOOLSYNC_GUARD = True
    held = undo(run, origin=SyncRun.Origin.SHELL)
    assert held.state == RunState.HELD
    assert len(installation.moodle.rows("user", firstname="New")) == 60
    decisions.approve_run(held, OPERATOR, typed="60")
    assert services.execute_run(held.pk).state == RunState.COMPLETED
    assert installation.moodle.rows("user", firstname="New") == []


@pytest.mark.parametrize("damage", ["gone", "cut off", "old"])
def test_a_journal_that_is_gone_or_damaged_is_said(installation: Installation, damage: str) -> None:
    run = add(installation, "users", NEW_USERS)
    key = run.chunks.get().journal_key
    if damage == "gone":
        storage.delete(key)
    elif damage == "cut off":
        with storage.opened(key) as stream:
            half = stream.read()[:60]
        storage.delete(key)
        storage.save(key, io.BytesIO(half))
    else:
        run.chunks.update(journal_key="")
    if damage == "old":
        assert "too old to be undone" in refusal(run)
        return
    before = installation.moodle.snapshot()
    ended = undo(run)
    assert ended.state == RunState.FAILED
    assert "missing or damaged" in text_of(ended.error_code, ended.error_params)
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


def test_the_command_file_is_made_by_who_carries_the_undo_out(installation: Installation) -> None:
    run = add(installation, "users", NEW_USERS)

    asked = undo_run(run)

    assert (asked.command_file, asked.input_key, asked.file_name) == (None, "", f"undo-of-run-{run.pk}.csv")
    ended = services.execute_run(asked.pk)
    assert ended.state == RunState.COMPLETED
    assert ended.command_file is not None
    assert ended.file_sha256 == ended.command_file.sha256


def test_before_images_that_are_gone_by_then_end_the_undo_with_a_sentence(installation: Installation) -> None:
    run = add(installation, "users", NEW_USERS)
    asked = undo_run(run)
    before = installation.moodle.snapshot()
    storage.delete_folder(storage.journal_folder(run.site.slug, run.pk))

    ended = services.execute_run(asked.pk)

    assert (ended.state, ended.error_code) == (RunState.FAILED, "undo_journal_missing")
    assert ended.input_key == ""
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


def test_an_undo_that_another_worker_has_taken_over_leaves_no_second_file(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = undo_run(add(installation, "users", NEW_USERS))
    original = RunRecorder.update

    def update(self: RunRecorder, **values: Any) -> None:
        if "input_key" in values:
            monkeypatch.setattr(RunRecorder, "update", original)
            SyncRun.objects.filter(pk=asked.pk).update(worker="another")
        original(self, **values)

    monkeypatch.setattr(RunRecorder, "update", update)
    services.execute_run(asked.pk)

    assert not CommandFile.objects.filter(name__startswith="undo-of").exists()
    assert installation.moodle.rows("user", firstname="New")


@pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.5")
@pytest.mark.parametrize("way", ["content added", "sections named"])
def test_sections_of_subsections_that_made_room_go_back_to_their_numbers(installation: Installation, way: str) -> None:
    moodle = installation.moodle
    subsections(moodle, "C2", {"Ours": 1, "Other": 2, "Third": 3})
    subsections(moodle, "C1", {"Theirs": 3})
    activity(moodle, "C1", "page", "Reading", 2)
    bring_in_order(moodle)
    before = moodle.snapshot()
    fullname = moodle.one("course", id=moodle.ids["C2"])["fullname"]
    if way == "content added":
        text = f"shortname;fullname;template\nC2;{fullname};C1\n"
        run = add(installation, "courses", text, forceupdate=1, templatemode="1")
    else:
        run = add(installation, "courses", f"shortname;fullname;topic2\nC2;{fullname};Second\n", forceupdate=1)
    numbers = [row["section"] for row in moodle.rows("course_sections", course=moodle.ids["C2"]) if row["component"]]
    assert min(numbers) > 2
    check_round_trip(installation, run, before)
