"""What is owed after a commit is done as well when the answer to the commit was lost, or the worker died right after it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django import Settings

from sync.errors import MoodleUnavailable, RunNotClaimable
from sync.models import RunChunk, RunMail, RunState, SyncRun
from sync.moodle.db.database import MoodleSession
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.processor import Processor
from sync.runs import execution, services
from sync.runs.outcome_store import read_rows
from sync.runs.retention_settings import save_retention
from sync.values import Note
from tests.installation import Installation
from tests.pictures import blobs, data_folder
from tests.runs.test_interruptions import Killed, die_at

Interrupt = Callable[[SyncRun], SyncRun]


@pytest.fixture(autouse=True)
def one_row_a_chunk(installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    settings.TOOLSYNC_RETRY_SECONDS = 60
    monkeypatch.setattr("sync.runs.retry.FIRST_PAUSE", 0)


@pytest.fixture(params=["before it is noted", "before it is done", "while it is done", "answer lost"])
def interrupted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Interrupt:
    """Carry a run out whose first chunk is committed, and disturbed right then."""

    def interrupted(run: SyncRun) -> SyncRun:
        match request.param:
            case "before it is noted":
                die_at(monkeypatch, run, "confirm", 1)
            case "before it is done":
                die_at(monkeypatch, run, "confirm", 1, before=False)
            case "while it is done":
                die_at(monkeypatch, run, "settle", 1)
            case "answer lost":
                lose_first_answer(monkeypatch)
        return services.execute_run(run.pk)

    return interrupted


def lose_first_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the connection break once, when the server has committed and hasn't said so."""
    original = MoodleSession.transaction
    answers: list[bool] = []

    @contextmanager
    def transaction(self: MoodleSession) -> Iterator[None]:
        with original(self):
            yield
        answers.append(True)
        if len(answers) == 1:
            raise MoodleUnavailable("moodle_unavailable", reason="lost")

    monkeypatch.setattr(MoodleSession, "transaction", transaction)


def give_file(installation: Installation, data: Path, contextid: int, text: str) -> str:
    """Put a file into a context, with its content in the pool."""
    digest = hashlib.sha1(text.encode()).hexdigest()
    folder = data / "filedir" / digest[:2] / digest[2:4]
    folder.mkdir(parents=True)
    (folder / digest).write_text(text)
    place = f"/{contextid}/user/private/0/{text}.txt"
    installation.moodle.insert(
        "files", contenthash=digest, pathnamehash=hashlib.sha1(place.encode()).hexdigest(), contextid=contextid,
        component="user", filearea="private", itemid=0, filepath="/", filename=f"{text}.txt", filesize=len(text),
        timecreated=1, timemodified=1,
    )  # fmt: skip
    return digest


@pytest.mark.parametrize("at_once", [True, False])
def test_contents_of_deleted_files_go_to_the_trash_or_wait_until_nobody_can_undo_it(
    installation: Installation, interrupted: Interrupt, settings: Settings, tmp_path: Path, at_once: bool
) -> None:
    save_retention(installation.site, reports=0, archives=0, trybacks=0, journals=0, trashes_at_once=at_once)
    data = data_folder(tmp_path / "moodledata")
    settings.TOOLSYNC_MOODLE_DATAROOT = str(data)
    site = installation.moodle
    userid = site.one("user", username="ann")["id"]
    digest = give_file(installation, data, site.one("context", contextlevel=30, instanceid=userid)["id"], "diary")
    run = installation.queue("/in.csv", "username\nann\nnobody\n", processor="users_delete", primaryidentity="username")
    ended = interrupted(run)
    assert ended.counts == {"deleted": 1, "rejected": 1}, (ended.error_code, ended.error_params)
    assert set(blobs(data)) == (set() if at_once else {digest})
    assert set(blobs(data, "trashdir")) == ({digest} if at_once else set())
    assert list(ended.kept_blobs.values_list("contenthash", "size")) == ([] if at_once else [(digest, 5)])


def test_what_is_left_behind_is_said_once(installation: Installation, interrupted: Interrupt, tmp_path: Path) -> None:
    site = installation.moodle
    userid = site.one("user", username="ann")["id"]
    data = data_folder(tmp_path / "not_told_to_toolsync")
    give_file(installation, data, site.one("context", contextlevel=30, instanceid=userid)["id"], "diary")
    run = installation.queue("/in.csv", "username\nann\nnobody\n", processor="users_delete", primaryidentity="username")
    ended = interrupted(run)
    assert [code for code, _params in ended.notes].count("blobs_left") == 1
    assert ["blobs_left", {"size": "5\N{NO-BREAK SPACE}bytes"}] in ended.notes


def test_a_course_that_was_deleted_before_is_known(installation: Installation, interrupted: Interrupt) -> None:
    run = installation.queue("/in.txt", "C1\nC1\nC2\n", processor="courses_delete")
    ended = interrupted(run)
    assert [outcome.code for outcome in read_rows(ended)] == [
        "course_deleted", "course_deleted_before", "course_deleted",
    ]  # fmt: skip
    assert [code for code, _params in ended.notes].count("course_deletion_final") == 1


def test_a_category_that_was_deleted_before_is_known(installation: Installation, interrupted: Interrupt) -> None:
    first = installation.carry_out("/c.csv", "shortname;fullname;category\nX;X;A\n", processor="courses")
    assert first.counts == {"created": 1}
    installation.carry_out("/d.txt", "X\n", processor="courses_delete")
    number = installation.moodle.one("course_categories", name="A")["id"]
    text = f"categoryid;path\n{number};A\n{number};A\n"
    ended = interrupted(installation.queue("/in.csv", text, processor="categories_delete"))
    assert [outcome.code for outcome in read_rows(ended)] == ["category_deleted", "category_deleted_before"]


def test_the_order_of_courses_is_seen_to(installation: Installation, interrupted: Interrupt) -> None:
    text = "shortname;fullname;category\nNEW;New;Quite new\n"
    ended = interrupted(installation.queue("/in.csv", text, processor="courses"))
    assert ended.counts == {"created": 1}
    course = installation.moodle.one("course", shortname="NEW")
    category = installation.moodle.one("course_categories", id=course["category"])
    assert (category["coursecount"], course["sortorder"]) == (1, category["sortorder"] + 1)


def test_contacts_are_told_of_everything(installation: Installation, interrupted: Interrupt) -> None:
    site = installation.moodle
    teacher, context = site.one("user", username="ann")["id"], site.ids["C1 context"]
    site.execute("UPDATE {config} SET value = '3' WHERE name = 'coursecontact'")
    site.execute("UPDATE {user} SET email = 'ann@x.org' WHERE username = 'ann'")
    site.insert("role_assignments", roleid=3, contextid=context, userid=teacher, component="", itemid=0)
    installation.carry_out("/u.csv", "username;firstname;lastname;email\nu1;U;1;u1@x.org\nu2;U;2;u2@x.org\n")
    text = "cmd;cid;uid;rolename;enrol\nadd;C1;u1;student;manual\nadd;C1;u2;student;manual\n"
    ended = interrupted(installation.queue("/in.csv", text, processor="enrolments", mailadmins=1))
    assert ended.counts == {"created": 2}
    (sent,) = mail.outbox
    assert "(u1): enrolled" in sent.body
    assert "(u2): enrolled" in sent.body


TWO = "username;firstname;lastname;email;password\nb1;B;1;b1@x.org;Tr0ub4dor&3\nb2;B;2;b2@x.org;Tr0ub4dor&3\n"


def test_mails_that_wait_when_their_process_dies_are_sent_by_its_successor(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = installation.queue("/in.csv", TWO, sendpasswordtousers=1)
    die_at(monkeypatch, run, "confirm", 1, before=False)
    kept = RunMail.objects.get()
    assert (kept.state, kept.address) == ("waiting", "b1@x.org")
    assert b"Tr0ub4dor" not in bytes(kept.sealed)
    ended = services.execute_run(run.pk)
    assert [message.to for message in mail.outbox] == [["b1@x.org"], ["b2@x.org"]]
    assert ended.notes == []
    assert not RunMail.objects.exists()


@pytest.mark.parametrize("has_gone_out", [False, True])
def test_a_mail_in_doubt_is_listed_by_person_and_can_be_sent_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, has_gone_out: bool
) -> None:
    run = installation.queue("/in.csv", TWO, sendpasswordtousers=1, storereport=1)
    original = EmailBackend.send_messages

    def die(self: EmailBackend, messages: list[mail.EmailMessage]) -> int:
        if has_gone_out:
            original(self, messages)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", die)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    with pytest.raises(RunNotClaimable):
        services.send_mails_of(SyncRun.objects.get(pk=run.pk))
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=None)
    mail.outbox.clear()

    ended = services.execute_run(run.pk)
    assert [message.to for message in mail.outbox] == [["b2@x.org"]]
    assert ["mails_in_doubt", {"count": 1, "people": "b1@x.org"}] in ended.notes
    assert "b1@x.org" in installation.own_file(ended, "report")
    assert services.send_mails_of(ended) == 0
    assert mail.outbox[-1].to == ["b1@x.org"]
    assert "Tr0ub4dor&3" in mail.outbox[-1].body
    assert not RunMail.objects.exists()


def test_a_mail_that_could_not_be_sent_can_be_sent_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_backend: EmailBackend, _messages: list[mail.EmailMessage]) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        ended = installation.carry_out("/in.csv", TWO, sendpasswordtousers=1)
        assert ["mails_lost", {"count": 2}] in ended.notes
        assert services.send_mails_of(ended) == 2
    assert services.send_mails_of(ended) == 0
    assert [message.to for message in mail.outbox] == [["b1@x.org"], ["b2@x.org"]]


def test_mails_that_two_ask_to_be_sent_again_at_once_are_sent_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_backend: EmailBackend, _messages: list[mail.EmailMessage]) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        ended = installation.carry_out("/in.csv", TWO, sendpasswordtousers=1)
    original = EmailBackend.send_messages
    asked: list[int] = []

    def ask_meanwhile(backend: EmailBackend, messages: list[mail.EmailMessage]) -> int:
        """Send; somebody presses the button before the first mail is taken, and once more before the second is."""
        asked.append(len(asked))
        if len(asked) in (1, 3):
            services.send_mails_of(ended)
        return original(backend, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", ask_meanwhile)
    services.send_mails_of(ended)
    assert sorted(message.to[0] for message in mail.outbox) == ["b1@x.org", "b2@x.org"]
    assert not RunMail.objects.exists()


def test_mails_that_could_not_be_sent_are_told_once_though_the_worker_died_when_it_had_said_so(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_backend: EmailBackend, _messages: list[mail.EmailMessage]) -> int:
        raise ConnectionRefusedError

    def die(_run: SyncRun) -> None:
        raise Killed

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    run = installation.queue("/in.csv", TWO, sendpasswordtousers=1)
    with monkeypatch.context() as patch:
        patch.setattr(execution, "forget_mails", die)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=None)
    ended = services.execute_run(run.pk)
    assert [note for note in ended.notes if note[0] == "mails_lost"] == [["mails_lost", {"count": 2}]]


def test_mails_are_sent_when_only_the_answer_was_lost(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "username;firstname;lastname;email;password\nb1;B;1;b1@x.org;Tr0ub4dor&3\n"
    run = installation.queue("/in.csv", text, sendpasswordtousers=1)
    lose_first_answer(monkeypatch)
    ended = services.execute_run(run.pk)
    assert [message.to for message in mail.outbox] == [["b1@x.org"]]
    assert ended.notes == []


def test_nothing_is_stored_where_nothing_is_owed(installation: Installation) -> None:
    installation.carry_out("/in.csv", "username;firstname;lastname;email\nb1;B;1;b1@x.org\n")
    assert [chunk.after_commit for chunk in RunChunk.objects.all()] == [""]


def test_closing_notes_are_asked_for_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each run, not once for each connection."""
    asked: list[Any] = []
    original = Processor.final_notes

    def final_notes(self: Processor) -> list[Note]:
        asked.append(self)
        return original(self)

    monkeypatch.setattr(Processor, "final_notes", final_notes)
    lose_first_answer(monkeypatch)
    run = installation.carry_out("/in.csv", "username;firstname;lastname;email\nb1;B;1;b1@x.org\nb2;B;2;b2@x.org\n")
    assert (run.state, len(asked)) == (RunState.COMPLETED, 1)


def test_empty_groups_that_were_purged_are_named_though_the_process_died(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = installation.moodle
    site.insert("groups", courseid=site.ids["C1"], name="Empty one", idnumber="E", timecreated=1, timemodified=1)
    text = "courseid;groupid;userid;cmd\nC1;E;ann;del\n"
    run = installation.queue("/in.csv", text, processor="groupmembers", purgeemptygroups="1")
    die_at(monkeypatch, run, "end", 1)
    ended = services.execute_run(run.pk)
    assert [code for code, _params in ended.notes].count("groups_purged") == 1
    # The purged group is an outcome, and no row of the file.
    assert ended.rows_done == 1
    assert ended.outcome_count == sum(ended.counts.values()) > 1


def test_what_is_owed_is_written_and_read() -> None:
    owed = AfterCommit({"abc": 5}, {7: 2, "c1": 2}, [(3, 4, "enrolment_created")], True, 2, [Note("x", {"count": 1})])
    assert AfterCommit.from_json(owed.to_json()) == owed
    assert AfterCommit.from_json({}) == AfterCommit()
    assert not AfterCommit()
