from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from sync.models import CommandFile, MoodleSite, ProcessorSettings, Source
from sync.schedules.arming import meant_types
from sync.web.views.courses import MAX_CHOSEN
from tests.moodle_sites import MoodleSite as Moodle
from tests.support import run_file
from tests.web.conftest import MakeFile

COURSES, CHOOSE = "/courses/", "/courses/choose/"
DELETE, RESET = "/courses/file/courses_delete/", "/courses/file/courses_reset/"


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return sqlite_site


@pytest.fixture
def courses_client(client_with: Callable[..., Client]) -> Client:
    return client_with("run_courses_delete")


def choose(client: Client, *courseids: int, shown: tuple[int, ...] = (), search: str = "", **values: Any) -> Any:
    data = {"course": list(courseids), "shown": list(shown or courseids), **values}
    return client.post(f"{CHOOSE}?{search}", data)


def add_course(moodle: Moodle, shortname: str, idnumber: str = "", category: int = 1) -> int:
    """Return the id of a new course that comes after those that are there."""
    course = moodle.insert(
        "course", category=category, shortname=shortname, fullname=f"Full {shortname}", idnumber=idnumber, sortorder=90_000
    )  # fmt: skip
    moodle.insert("context", contextlevel=50, instanceid=course, path=f"/1/9{course}", depth=2)
    return course


def add_courses(moodle: Moodle, count: int, category: int = 1) -> list[int]:
    return [add_course(moodle, f"N{n:03}", category=category) for n in range(count)]


def test_courses_are_listed_with_their_category_and_the_people_in_them(moodle: Moodle, courses_client: Client) -> None:
    context = moodle.ids["C1 context"]
    for role, user in ((5, moodle.ids["ann"]), (5, 2), (3, 2)):
        moodle.insert("role_assignments", roleid=role, contextid=context, userid=user, component="", itemid=0)
    moodle.insert("role_assignments", roleid=5, contextid=context, userid=2, component="enrol_meta", itemid=3)

    text = courses_client.get(COURSES).text

    assert "Course C1" in text
    assert "student: 2" in text
    assert "editingteacher: 1" in text
    assert moodle.one("course_categories", id=1)["name"] in text
    assert moodle.one("course", category=0)["fullname"] not in text


@pytest.mark.parametrize(("search", "found"), [("course c1", 1), ("idc2", 1), ("c", 2), ("%", 0), ("nothing", 0)])
def test_a_search_finds_parts_of_names_and_identifiers(
    search: str, found: int, moodle: Moodle, courses_client: Client
) -> None:
    text = courses_client.get(COURSES, {"search": search}).text
    assert text.count('name="shown"') == found


def test_a_category_stands_for_its_subcategories_too(moodle: Moodle, courses_client: Client) -> None:
    top = moodle.insert("course_categories", name="Top", parent=0, path="", depth=1)
    sub = moodle.insert("course_categories", name="Sub", parent=top, path=f"/{top}/9", depth=2)
    moodle.execute("UPDATE {course_categories} SET path = :path WHERE id = :id", path=f"/{top}/{sub}", id=sub)
    for category in (top, sub):
        moodle.insert("context", contextlevel=40, instanceid=category, path=f"/1/9{category}", depth=2)
    add_courses(moodle, 1, sub)

    text = courses_client.get(COURSES, {"category": top}).text

    assert "Top / Sub" in text
    assert "Full N000" in text
    assert "Course C1" not in text


def test_a_choice_lasts_over_pages_and_searches(moodle: Moodle, courses_client: Client) -> None:
    first, *_others, last = add_courses(moodle, 60)
    answer = choose(courses_client, first, shown=(first, first + 1), search="search=Full+N", page="2")
    assert answer.headers["Location"] == f"{COURSES}?search=Full+N&page=2"
    choose(courses_client, last)

    chosen = courses_client.get(COURSES, {"chosen": "on"}).text

    assert "2 courses chosen" in chosen
    assert [f"N{n:03}" in chosen for n in (0, 1, 59)] == [True, False, True]
    choose(courses_client, shown=(last,))
    assert "1 course chosen" in courses_client.get(COURSES, {"search": "zzz"}).text


def test_a_box_is_kept_at_once_and_only_the_summary_comes_back(moodle: Moodle, courses_client: Client) -> None:
    data = {"course": moodle.ids["C1"], "shown": moodle.ids["C1"]}
    answer = courses_client.post(CHOOSE, data, headers={"HX-Request": "true"})
    assert "1 course chosen" in answer.text
    assert "<html" not in answer.text


def test_all_that_a_search_finds_can_be_chosen_and_let_go(moodle: Moodle, courses_client: Client) -> None:
    add_courses(moodle, 60)
    choose(courses_client, search="search=Full+N", do="all")
    assert "60 courses chosen" in courses_client.get(COURSES).text
    choose(courses_client, do="none")
    assert "0 courses chosen" in courses_client.get(COURSES).text


def test_what_is_chosen_on_one_moodle_is_not_chosen_on_another(moodle: Moodle, admin_client: Client) -> None:
    MoodleSite.objects.create(slug="physics", name="Physics")
    choose(admin_client, moodle.ids["C1"], moodle.ids["C2"])
    there = "/sites/physics/courses/"
    assert session_of(admin_client, "main") == [moodle.ids["C1"], moodle.ids["C2"]]
    admin_client.post(f"{there}choose/", {"course": [moodle.ids["C2"]], "shown": [moodle.ids["C2"]]})
    assert session_of(admin_client, "physics") == [moodle.ids["C2"]]
    assert "2 courses chosen" in admin_client.get(COURSES).text


def session_of(client: Client, site: str) -> list[int]:
    found: list[int] = client.session[f"chosen_courses:{site}"]
    return found


def test_more_than_a_file_should_hold_are_not_chosen(moodle: Moodle, courses_client: Client) -> None:
    session = courses_client.session
    session["chosen_courses:main"] = list(range(1000, 1000 + MAX_CHOSEN))
    session.save()
    choose(courses_client, moodle.ids["C1"])
    text = courses_client.get(COURSES).text
    assert f"At most {MAX_CHOSEN:,} courses" in text
    assert f"{MAX_CHOSEN:,} courses chosen" in text


def test_a_deletion_file_stands_ready_in_its_tool(moodle: Moodle, courses_client: Client, make_file: MakeFile) -> None:
    make_file("deletecourses.csv", b"OLD\n")
    odd = add_course(moodle, '# "a"; b')
    choose(courses_client, moodle.ids["C2"], odd)

    answer = courses_client.post(DELETE, {"do": "keep"}, follow=True)

    older, file = CommandFile.objects.order_by("pk")
    assert re.fullmatch(r"chosen_deletecourses_\d{8}-\d{6}\.csv", file.name)
    assert file.processor == "courses_delete"
    # Where schedules look, another one lies, and stays; ours is of no name that they take, wherever it comes to lie.
    assert (older.path, older.size) == ("/deletecourses.csv", 4)
    Source.objects.create(
        site=file.site, processor="courses_delete", kind="area", location=f"{file.folder}deletecourses*.csv"
    )
    assert meant_types(file.site, [file]) == {file.pk: []}
    assert f'<option value="{file.pk}" selected>' in answer.text
    assert f"{file.name} with 2 courses is ready." in answer.text
    saved = courses_client.post(DELETE, {"do": "save"})
    assert 'filename="chosen_deletecourses_' in saved.headers["Content-Disposition"]
    content = saved.content
    assert run_file(moodle, "courses_delete", content).codes == ["course_deleted"] * 2
    assert len(moodle.rows("course", shortname="C1")) == 1


def test_a_reset_file_says_what_was_chosen_and_runs(
    moodle: Moodle, client_with: Callable[..., Client], tmp_path: Path
) -> None:
    client = client_with("run_courses_reset")
    for course in ("C1", "C2"):
        moodle.insert("event", name="Exam", description="", courseid=moodle.ids[course], eventtype="course")
    choose(client, moodle.ids["C1"])
    assert 'value="student teacher guest"' in client.get(RESET).text
    answers = {
        "roles": "", "local_roles": "no", "completion": "no", "grades": "no", "groups": "no", "groupings": "no",
        "blog_associations": "no", "events": "yes", "logs": "no", "notes": "no", "comments": "no", "modules": "",
    }  # fmt: skip
    enrolled = moodle.rows("user_enrolments")

    content = client.post(RESET, {**answers, "do": "save"}).content

    assert content.decode().splitlines()[1].startswith("C1;;no;no")
    assert run_file(moodle, "courses_reset", content).codes == ["course_reset"]
    assert [event["courseid"] for event in moodle.rows("event")] == [moodle.ids["C2"]]
    assert moodle.rows("user_enrolments") == enrolled


def test_the_file_follows_the_options_of_the_tool_and_leaves_out_what_it_cant_name(
    moodle: Moodle, courses_client: Client, site: MoodleSite
) -> None:
    values = {"courseidentifier": "idnumber", "encoding": "ISO-8859-1"}
    ProcessorSettings.objects.create(site=site, processor="courses_delete", values=values)
    names = ("twice", "twice", "", "\u0416", "caf\u00e9")
    ids = [add_course(moodle, f"S{n}", idnumber) for n, idnumber in enumerate(names)]
    choose(courses_client, *ids)

    assert "4 courses are left out" in courses_client.get(DELETE).text
    assert courses_client.post(DELETE, {"do": "save"}).content == "caf\u00e9\n".encode("iso-8859-1")


def test_a_file_that_a_run_waits_for_is_not_replaced(
    moodle: Moodle, courses_client: Client, make_file: MakeFile, make_run: Callable[..., Any]
) -> None:
    waiting = make_file("deletecourses.csv", b"OLD\n")
    run = make_run("queued", outcomes=(), processor="courses_delete")
    choose(courses_client, moodle.ids["C1"])

    courses_client.post(DELETE, {"do": "keep"})

    run.refresh_from_db()
    assert (run.command_file, run.file_sha256) == (waiting, CommandFile.objects.get(pk=waiting.pk).sha256)
    assert CommandFile.objects.count() == 2


def test_without_a_choice_the_list_asks_for_one(moodle: Moodle, courses_client: Client) -> None:
    assert "Choose courses first." in courses_client.get(DELETE, follow=True).text


@pytest.mark.parametrize("url", [DELETE, RESET])
def test_a_file_is_made_only_by_people_of_its_tool(
    url: str, moodle: Moodle, client_with: Callable[..., Client]
) -> None:
    assert client_with("run_courses_check", "manage_files").get(url).status_code == 404


@pytest.mark.parametrize("ask", ["list", "all", "file"])
def test_a_moodle_that_is_away_is_said_in_a_sentence(
    ask: str, courses_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/none.sqlite3"
    choose(courses_client, 7)
    answers: dict[str, Callable[[], Any]] = {
        "list": lambda: courses_client.get(COURSES),
        "all": lambda: choose(courses_client, do="all"),
        "file": lambda: courses_client.get(DELETE),
    }
    answer = answers[ask]()
    assert answer.status_code == 503
    assert "answer (…)" in answer.text
