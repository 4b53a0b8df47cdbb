"""What was meant is chosen in the list of reasons, for all rows that are alike, and put into the draft."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from sync.mending.drafts import load_draft
from tests.installation import Installation
from tests.mending.test_mend_page import FILE, OPTIONS, PLACE, Mending, name_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mending(installation: Installation, admin_client: Client) -> Mending:
    return Mending(admin_client, installation.carry_out("/in.csv", FILE, **OPTIONS))


def test_each_reason_has_what_may_have_been_meant_and_says_in_how_many_rows(mending: Mending) -> None:
    choices = mending.client.get(reverse("run_choices", args=[mending.run.pk])).context["choices"]
    found = {choice.line: (choice.column, choice.text, choice.alike, choice.suggestions[:1]) for choice in choices}
    assert found == {
        3: ("email", "bob.x.org", 1, []),
        4: ("country", "Frnace", 1, ["FR"]),
        5: ("course1", "C1x", 2, ["C1"]),
        7: ("email", "fay @x.org", 1, ["fay@x.org"]),
    }
    assert "Secret-" not in str(choices)


def test_a_choice_on_the_page_of_the_run_leads_into_the_draft_with_all_rows_alike(
    mending: Mending, admin_user: User
) -> None:
    run, page = mending.run, mending.client.get(reverse("run", args=[mending.run.pk])).text
    address = reverse("run_choices", args=[run.pk])
    assert f'hx-get="{address}" hx-trigger="load"' in page
    assert f'<noscript><a class="btn btn-outline-primary" href="{address}"' in page
    assert 'id="choice-5"' in page
    fragment = mending.client.get(address, headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert 'id="choice-5" hx-swap-oob="true"' in fragment
    command = f"alike:5:{PLACE['course1']}"
    assert f'value="{command}:C1"' in fragment

    answer = mending.send(f"{command}:C1", {name_of(5, "course1"): "C1x"})

    assert answer.headers["Location"] == f"{mending.url}#{name_of(5, 'course1')}"
    assert load_draft(run, admin_user).edits == {5: {PLACE["course1"]: "C1"}, 6: {PLACE["course1"]: "C1"}}
    assert "C1x → C1" in mending.client.get(address).text
    mending.send(command, {name_of(5, "course1"): "C2"})
    assert load_draft(run, admin_user).edits[6] == {PLACE["course1"]: "C2"}


def test_the_rows_are_right_after_choices_for_all_of_them(mending: Mending) -> None:
    for line, column, text in (
        (3, "email", "bob@x.org"),
        (4, "country", "FR"),
        (5, "course1", "C1"),
        (7, "email", "fay@x.org"),
    ):
        mending.send(f"alike:{line}:{PLACE[column]}:{text}")
    mending.checked()
    assert mending.page().right_count == 5


def test_who_may_not_mend_may_not_choose(
    installation: Installation, client_with: Callable[..., Client], files_client: Client
) -> None:
    run = installation.carry_out("/in.csv", FILE, **OPTIONS)
    address = reverse("run_choices", args=[run.pk])
    assert files_client.get(address).status_code == 404
    clean = installation.carry_out("/good.csv", "username;firstname;lastname;email\nann;Ann;Lee;ann@x.org\n", **OPTIONS)
    assert client_with("run_users").get(reverse("run_choices", args=[clean.pk])).status_code == 404
