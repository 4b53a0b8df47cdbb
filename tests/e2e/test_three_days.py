"""The days of three people, walked in a browser: in each run one way of looking at each of them, in the matrix all eight.

The steps are those of docs/three-days.md; each screen is kept as a picture in test-results.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.base import ContentFile
from playwright.sync_api import Locator, Page, expect

from sync.models import MoodleSite as Site, SyncRun
from sync.runs.services import queue_run, receive_for_run
from tests.e2e.conftest import PASSWORD, Screen
from tests.e2e.test_mend import Keys
from tests.moodle_sites import MoodleSite
from tests.waiting import wait_until

RUN_TIMEOUT = 240_000
ROWS, MISTAKES, LEAVERS = 3000, 40, 40
# As a registry writes it: none of its columns has the name that Moodle gives it.
HEADER = ("Login", "Prénom", "Nom", "Adresse électronique", "Pays", "Cours", "Rôle")
COLLEAGUE = "genevieve.de-la-tour-d-auvergne-lauraguais"

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def log_in(page: Page, name: str) -> None:
    page.goto("/")
    page.locator("[name=username]").fill(name)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main form button").click()


def hand_in(screen: Screen, file: Path) -> None:
    page, say = screen.page, screen.look.say
    page.locator("header a.sync-new").click()
    page.locator("main input[type=file]").set_input_files(file)
    page.get_by_role("button", name=say("Look at the file")).click()
    expect(page.locator("#make-plan")).to_be_enabled(timeout=RUN_TIMEOUT)


def is_completed(screen: Screen) -> None:
    expect(screen.page.locator("#run-state")).to_contain_text(screen.look.say("Completed"), timeout=RUN_TIMEOUT)


def expect_focus(page: Page) -> None:
    """Wait until the focus is somewhere in the page, where it can be seen."""
    page.wait_for_function(
        """() => { const element = document.activeElement;
             return element !== document.body && element.checkVisibility({ checkVisibilityCSS: true }); }"""
    )


@pytest.mark.looks("en-1280-light")
def test_somebody_new_sees_what_would_become_of_a_file(screen: Screen, sqlite_site: MoodleSite, tmp_path: Path) -> None:
    page, say = screen.page, screen.look.say
    file = tmp_path / "newcomers.csv"
    rows = [f"new{number};Nora;Newman{number};new{number}@example.org" for number in range(12)]
    file.write_text("\n".join(["username;firstname;lastname;email", *rows]) + "\n", encoding="utf-8")
    page.goto("/")
    screen.keep("day1-1-login")
    log_in(page, "ada")
    screen.keep("day1-2-home")
    hand_in(screen, file)
    screen.keep("day1-3-import")
    page.locator("#make-plan").click()
    apply = page.get_by_role("button", name=say("Apply"), exact=True)
    expect(apply).to_be_visible(timeout=RUN_TIMEOUT)
    screen.keep("day1-4-plan")
    assert not sqlite_site.rows("user", username="new0")
    apply.click()
    is_completed(screen)
    screen.keep("day1-5-run")
    page.goto("/")
    screen.keep("day1-6-home")
    assert len([row for row in sqlite_site.rows("user", deleted=0) if row["username"].startswith("new")]) == len(rows)


def export_with_mistakes() -> str:
    """Return an export of 3,000 rows: ten name a course that isn't there, eight a country, six a role, eight have an address with
    a blank in it, eight no last name.
    """
    kinds = (
        ["course"] * 10 + ["country"] * 8 + ["role"] * 6 + ["address"] * 8 + ["name"] * 8
    )  # fmt: skip
    assert len(kinds) == MISTAKES
    mistakes = {100 + 70 * place: kind for place, kind in enumerate(kinds)}
    lines = [";".join(HEADER)]
    for number in range(ROWS):
        wrong = mistakes.get(number, "")
        lines.append(
            ";".join(
                (
                    f"p{number}", "Paul", "" if wrong == "name" else f"Petit{number}",
                    f"p{number} @example.org" if wrong == "address" else f"p{number}@example.org",
                    "Frnace" if wrong == "country" else "FR", "C1x" if wrong == "course" else "C1",
                    "studnet" if wrong == "role" else "student",
                )
            )
        )  # fmt: skip
    return "\n".join(lines) + "\n"


def mend_alike(page: Page) -> int:
    """Press, one after the other, the buttons that mend rows that are alike; return how many there were."""
    for pressed in range(9):
        button = page.locator("#mend-grid button[value^='alike:']").filter(
            has_text=re.compile(r"^\w+ (?:C1|FR|student)\b")
        )
        if not button.count():
            return pressed
        pressed_one = page.locator(f'#mend-grid button[value="{button.first.get_attribute("value")}"]')
        with page.expect_response(lambda answer: "/mend/" in answer.url):
            pressed_one.first.click()
        # The answer is there before the page is: whoever looks at once sees the button that was pressed.
        expect(pressed_one).to_have_count(0)
        expect(page.locator("#mend.htmx-settling, #mend.htmx-swapping")).to_have_count(0)
        expect_focus(page)
    raise AssertionError("the buttons stay")


@pytest.mark.looks("en-1280-dark")
def test_an_administrator_mends_forty_mistakes_in_three_thousand_rows(
    screen: Screen, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page = screen.page
    file = tmp_path / "inscriptions-de-la-faculte-des-sciences-et-de-la-sante-2026-2027.csv"
    file.write_text(export_with_mistakes(), encoding="utf-8")
    log_in(page, "ada")
    hand_in(screen, file)
    screen.keep("day2-1-import")
    with page.expect_response(lambda answer: "/imports/" in answer.url):
        page.locator("#id_option_primaryidentity").select_option("username")
    page.locator("#make-plan").click()
    mend = page.locator("a[href$='/mend/']")
    expect(mend).to_contain_text(str(MISTAKES), timeout=RUN_TIMEOUT)
    screen.keep("day2-2-plan")
    mend.click()
    expect(page.locator("#mend-state")).to_contain_text(str(MISTAKES))
    screen.keep("day2-3-mend")
    assert mend_alike(page) == 3
    faulty = page.locator("#mend-grid input[aria-invalid=true]")
    expect(faulty).to_have_count(16)
    for cell in faulty.all():
        # An address with a blank in it, or no last name.
        cell.fill(cell.input_value().replace(" ", "") or "Petit")
    page.locator("#mend-check").click()
    apply = page.locator("#mend-apply")
    expect(apply).to_contain_text(str(MISTAKES), timeout=RUN_TIMEOUT)
    screen.keep("day2-4-checked")
    apply.click()
    is_completed(screen)
    screen.keep("day2-5-run")
    assert len([row for row in sqlite_site.rows("user", deleted=0) if row["lastname"] == "Petit"]) == 8


@pytest.fixture
def held(administrator: User, toolsync: str) -> SyncRun:
    """A file that deletes forty users waits for somebody who approves it: a colleague with a long name."""
    colleague = User.objects.create_user(COLLEAGUE, password=PASSWORD)
    codes = ("run_users_delete", "run_users", "approve_runs")
    colleague.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    site = Site.objects.get(slug="main")
    people = [f"leaver{number}" for number in range(LEAVERS)]
    users = "username;firstname;lastname;email\n" + "".join(f"{name};L;L;{name}@x.org\n" for name in people)
    made = carry_out(site, "users", users, administrator)
    assert made.state == "completed"
    run = carry_out(site, "users_delete", "username\n" + "\n".join(people) + "\n", colleague)
    assert run.state == "held", run.error_code
    return run


def carry_out(site: Site, processor: str, text: str, user: User) -> SyncRun:
    """Hand a file in as a page does, and wait until the worker has done with it."""
    file = receive_for_run(site, ContentFile(text.encode()), "leavers.csv", processor, user)
    run = queue_run(
        site=site, processor=processor, command_file=file, options={"primaryidentity": "username"}, user=user
    )

    def is_done() -> bool:
        run.refresh_from_db()
        return run.is_over or run.waits_for_person

    wait_until(is_done, RUN_TIMEOUT / 1000, lambda: f"{run} is {run.state}: {run.error_code}")
    return run


def go_to(keys: Keys, wanted: Locator, most: int) -> None:
    """Press Tab until something has the focus; what has it on the way must be seen, and come from top to bottom."""
    places: list[float] = []
    for _step in range(most):
        if not places and wanted.evaluate("element => element === document.activeElement"):
            return
        keys.press("Tab")
        focus = keys.page.evaluate(
            """() => { const element = document.activeElement, main = element.closest("main");
                 const box = element.getBoundingClientRect();
                 return [Boolean(main), box.bottom + scrollY, element.checkVisibility({ checkVisibilityCSS: true })]; }"""
        )
        is_in_main, bottom, is_visible = focus
        assert is_visible
        if is_in_main:
            places.append(bottom)
        if wanted.evaluate("element => element === document.activeElement"):
            # One line of the page may hold several.
            assert all(later > before - 60 for before, later in itertools.pairwise(places)), places
            return
    raise AssertionError(f"{wanted} isn't reached within {most} times Tab")


@pytest.mark.looks("fr-375-dark")
def test_a_colleague_decides_with_the_keyboard_alone(screen: Screen, held: SyncRun, sqlite_site: MoodleSite) -> None:
    page, keys = screen.page, Keys(screen.page)
    page.goto("/")
    go_to(keys, page.locator("[name=username]"), 12)
    keys.type(COLLEAGUE)
    go_to(keys, page.locator("[name=password]"), 3)
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.locator("#needs-you")).to_be_visible()
    screen.keep("day3-1-home")
    decide = page.locator(f"#needs-you a[href='/runs/{held.pk}/#decision']")
    go_to(keys, decide, 20)
    keys.press("Enter")
    expect(page.locator("#decision")).to_be_visible()
    screen.keep("day3-2-held")
    go_to(keys, page.locator("#typed"), 3)
    keys.type(str(LEAVERS))
    approve = page.locator("main button[value=approve]")
    go_to(keys, approve, 3)
    expect(approve).to_contain_text(str(LEAVERS))
    keys.press("Enter")
    is_completed(screen)
    screen.keep("day3-3-approved")

    # The list of rows is swapped: the focus stays, and what is new is read out.
    tile = page.locator("#tile-deleted")
    go_to(keys, tile, 40)
    keys.press("Enter")
    expect(page.locator("#announcement")).to_contain_text(str(LEAVERS))
    expect(tile).to_be_focused()
    expect_focus(page)
    screen.keep("day3-4-rows")
    menu = page.locator("header details.sync-menu:visible summary").last
    menu.focus()
    keys.press("Enter")
    screen.keep("day3-5-menu")
    keys.press("Escape")
    expect(menu).to_be_focused()
    assert not sqlite_site.rows("user", username="leaver0", deleted=0)
