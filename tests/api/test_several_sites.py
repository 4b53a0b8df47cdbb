"""One file on several sites by one request, with a token that is for several: all of them or none, and nothing beyond rights."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.test import Client
from django.utils import timezone

from sync.audit.selectors import AuditQuery, find_entries
from sync.errors import PeopleRefused
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Copy
from sync.models import ApiToken, CommandFile, MoodleSite, RoleAssignment, RunState, SyncRun
from sync.people.tokens import make_token, revoke_token, tokens_for
from sync.runs.mappings import save_mapping
from sync.runs.rights import OPERATOR
from tests.api.conftest import EVERYTHING, Program, problem_of
from tests.web.conftest import MakeFile

NEW = "/settings/tokens/new/"
PASSWORD = "a long password of ours"
SLUGS = ("north", "south")


@pytest.fixture
def sites(site: MoodleSite) -> dict[str, MoodleSite]:
    made = {slug: MoodleSite.objects.create(slug=slug, name=slug.title()) for slug in SLUGS}
    return {"main": site, **made}


def person_of(sites: dict[str, MoodleSite], *slugs: str, name: str = "ann", role: str = "operator") -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    for slug in slugs:
        RoleAssignment.objects.create(person=user, site=sites[slug], role=role)
    return user


def program_of(sites: dict[str, MoodleSite], person: User, *further: str, file_types: tuple[str, ...] = ()) -> Program:
    made = make_token(
        person, sites["main"], person, name="all", scopes=EVERYTHING, file_types=file_types, days=30,
        further_sites=[sites[slug] for slug in further],
    )  # fmt: skip
    return Program(person, made.secret, "main")


@pytest.fixture
def everywhere(sites: dict[str, MoodleSite]) -> Program:
    """A program of somebody who may run everything on all three sites."""
    return program_of(sites, person_of(sites, "main", *SLUGS), *SLUGS)


def stored() -> set[Path]:
    """Return the files that are kept, of all sites."""
    return {path for path in Path(storages["files"].location).rglob("*") if path.is_file()}  # type: ignore[attr-defined]


def plans() -> list[SyncRun]:
    return list(SyncRun.objects.order_by("pk").select_related("site"))


def completed() -> None:
    """Let the plans be as a worker leaves them."""
    SyncRun.objects.filter(simulate=True).update(state=RunState.COMPLETED, finished_at=timezone.now())


def test_a_file_is_planned_on_each_site_with_a_mapping_of_its_own(
    everywhere: Program, sites: dict[str, MoodleSite], make_file: MakeFile
) -> None:
    kept = save_mapping(
        sites["north"], "users", "N", ColumnMapping((Copy("username", "login"),)), ["login"], by=OPERATOR
    )
    body = {
        "file": make_file().pk, "mapping": None, "options": {"allowrename": True},
        "also": [{"site": "north", "mapping": kept.pk}, {"site": "south"}],
    }  # fmt: skip
    answer = everywhere.post("plans", body, Idempotency_Key="once")
    assert answer.status_code == 202, answer.content
    again = everywhere.post("plans", body, Idempotency_Key="once")
    assert (again["Idempotent-Replayed"], again.json()) == ("true", answer.json())
    main, north, south = plans()
    assert [run.site.slug for run in (main, north, south)] == ["main", "north", "south"]
    assert (main.mapping, (north.mapping or {})["name"], south.mapping) == ({}, "N", None)
    assert {run.options["allowrename"] for run in plans()} == {True}
    assert {(run.origin, run.token_name) for run in plans()} == {("api", "all")}
    told = answer.json()
    assert (told["id"], [(other["site"], other["id"]) for other in told["also"]]) == (
        main.pk, [("north", north.pk), ("south", south.pk)],
    )  # fmt: skip
    for other in told["also"]:
        assert everywhere.get(other["url"]).json()["also"][0]["site"] == "main"
    assert everywhere.get("/api/v1/sites/north/plans").json()["results"][0]["id"] == north.pk


def test_the_plans_are_applied_together_or_none_of_them(
    everywhere: Program, sites: dict[str, MoodleSite], make_file: MakeFile
) -> None:
    told = everywhere.post("plans", {"file": make_file().pk, "also": [{"site": "north"}]}).json()
    address, north = f"plans/{told['id']}/apply", told["also"][0]["id"]
    completed()
    SyncRun.objects.filter(pk=north).update(totals={"users.deleted": 25})
    also = [{"site": "north", "removals": 24}]
    problem = problem_of(everywhere.post(address, {"also": also}), 409, "site_plan_refused")
    assert (problem["params"]["why"], "North" in problem["detail"]) == ("decision_number_wrong", True)
    problem_of(everywhere.post(address, {"also": [{"site": "south"}]}), 422, "site_not_planned")
    problem_of(everywhere.post(address, {"also": [{"site": "main"}]}), 422, "site_twice")
    RoleAssignment.objects.filter(site=sites["north"]).delete()
    problem_of(everywhere.post(address, {"also": [{"site": "north", "removals": 25}]}), 403, "site_without_right")
    assert not SyncRun.objects.filter(simulate=False).exists()

    RoleAssignment.objects.create(person=everywhere.person, site=sites["north"], role="operator")
    answer = everywhere.post(address, {"also": [{"site": "north", "removals": 25}]})
    assert answer.status_code == 202, answer.content
    runs = SyncRun.objects.filter(simulate=False).order_by("pk")
    assert [(run.site.slug, run.plan_id) for run in runs] == [("main", told["id"]), ("north", north)]
    assert [(other["site"], other["id"]) for other in answer.json()["also"]] == [("north", runs[1].pk)]


@pytest.mark.parametrize(
    ("also", "status", "code"),
    [
        ([{"site": "south"}], 403, "site_without_right"),
        ([{"site": "north"}, {"site": "south"}], 403, "site_without_right"),
        ([{"site": "north"}, {"site": "north"}], 422, "site_twice"),
        ([{"site": "main"}], 422, "site_twice"),
        ([{"site": "old"}], 403, "token_of_another_site"),
        ([{"site": "nowhere"}], 403, "token_of_another_site"),
        ([{"site": "North"}], 403, "token_of_another_site"),
        ([{"site": "north", "mapping": 999_999}], 404, "not_found"),
        ([{"site": "north", "mapping": 2**63}], 400, "body_invalid"),
        ([{"site": "north", "mapping": "x"}], 400, "body_invalid"),
        ([{"site": "north", "more": 1}], 400, "body_invalid"),
        ([{"site": "north\0"}], 400, "body_invalid"),
        ([{"site": ["north"]}], 400, "body_invalid"),
        ([{"site": "n" * 51}], 400, "body_invalid"),
        ([{}], 400, "body_invalid"),
        (["north"], 400, "body_invalid"),
        ("north", 400, "body_invalid"),
        ({"site": "north"}, 400, "body_invalid"),
        (None, 400, "body_invalid"),
        ([{"site": "north"}] * 101, 400, "body_invalid"),
        ([[[{"site": "north"}]]], 400, "body_invalid"),
    ],
    ids=lambda value: ascii(value)[:40],
)  # fmt: skip
def test_what_can_not_be_on_all_sites_is_on_none(
    sites: dict[str, MoodleSite], make_file: MakeFile, also: Any, status: int, code: str
) -> None:
    MoodleSite.objects.create(slug="old", name="Old")
    person = person_of(sites, "main", "north", "south")
    asking = program_of(sites, person, *SLUGS)
    # The right on one of the sites is taken away again.
    RoleAssignment.objects.filter(person=person, site=sites["south"]).delete()
    file = make_file()
    before = stored()
    problem_of(asking.post("plans", {"file": file.pk, "also": also}), status, code)
    assert (SyncRun.objects.count(), CommandFile.objects.count(), stored()) == (0, 1, before)


def test_a_mapping_of_one_site_is_none_of_another(
    everywhere: Program, sites: dict[str, MoodleSite], make_file: MakeFile
) -> None:
    kept = save_mapping(
        sites["south"], "users", "S", ColumnMapping((Copy("username", "login"),)), ["login"], by=OPERATOR
    )
    body = {"file": make_file().pk, "also": [{"site": "north", "mapping": kept.pk}]}
    problem_of(everywhere.post("plans", body), 404, "not_found")
    body = {"file": body["file"], "mapping": kept.pk, "also": [{"site": "south"}]}
    problem_of(everywhere.post("plans", body), 404, "not_found")
    problem_of(everywhere.post("runs", {"file": body["file"], "also": [{"site": "south"}]}), 400, "body_invalid")
    assert not SyncRun.objects.exists()


def test_a_token_reaches_its_sites_and_no_other(everywhere: Program, sites: dict[str, MoodleSite]) -> None:
    assert everywhere.get("/api/v1/token").json()["sites"] == ["main", "north", "south"]
    assert [site["slug"] for site in everywhere.get("/api/v1/sites").json()] == ["main", "north", "south"]
    assert everywhere.get("/api/v1/sites/south/runs").status_code == 200
    one = program_of(sites, person_of(sites, "main", *SLUGS, name="bob"), "north")
    assert one.get("/api/v1/sites/north/runs").status_code == 200
    problem_of(one.get("/api/v1/sites/south/runs"), 403, "token_of_another_site")
    # Of everything that belongs to a site, each has its own.
    made = one.post("/api/v1/sites/north/uploads", {"name": "u.csv", "size": 3})
    assert made.status_code == 201, made.content
    problem_of(one.get(f"uploads/{made.json()['id']}"), 404, "not_found")


def test_a_token_for_some_file_types_is_for_no_others_on_any_site(
    sites: dict[str, MoodleSite], make_file: MakeFile
) -> None:
    asking = program_of(sites, person_of(sites, "main", *SLUGS), *SLUGS, file_types=("courses",))
    problem_of(asking.post("plans", {"file": make_file().pk, "also": [{"site": "north"}]}), 404, "not_found")
    assert asking.get("/api/v1/sites/north/runs").json()["results"] == []


def test_nobody_makes_a_token_for_a_site_on_which_they_have_no_right(sites: dict[str, MoodleSite]) -> None:
    person = person_of(sites, "main", "north")
    with pytest.raises(PeopleRefused, match="token_site_wrong"):
        program_of(sites, person, "north", "south")
    sites["north"].in_use = False
    sites["north"].save()
    with pytest.raises(PeopleRefused, match="token_site_wrong"):
        program_of(sites, person, "north")
    assert not ApiToken.objects.exists()


def test_who_manages_tokens_of_a_site_sees_and_revokes_those_that_reach_it(
    everywhere: Program, sites: dict[str, MoodleSite]
) -> None:
    token = ApiToken.objects.get()
    manager = person_of(sites, "south", name="mia", role="administrator")
    assert list(tokens_for(manager, sites["south"])) == [token]
    assert list(tokens_for(manager, sites["main"])) == []
    stranger = person_of(sites, "south", name="tom")
    with pytest.raises(PeopleRefused):
        revoke_token(stranger, token)
    revoke_token(manager, token)
    problem_of(everywhere.get("runs"), 401, "token_revoked")
    for site in sites.values():
        codes = [line.entry.code for line in find_entries(site, AuditQuery(kind="rights")).lines if line.entry]
        assert codes.count("audit_token_created") == codes.count("audit_token_deleted") == 1, site


def test_the_page_offers_the_sites_of_whoever_makes_a_token(sites: dict[str, MoodleSite]) -> None:
    person_of(sites, "main", "north", role="administrator")
    client = Client()
    client.post("/login/", {"username": "ann", "password": PASSWORD})
    client.post("/login/again/", {"password": PASSWORD, "next": NEW})
    page = client.get(NEW).text
    assert re.findall(r'name="further_sites" value="(\w+)"', page) == ["north"]
    form = {"name": "both", "scopes": ["plan"], "days": "30"}
    assert client.post(NEW, {**form, "further_sites": ["south"]}).context["form"].errors
    made = client.post(NEW, {**form, "further_sites": ["north"]})
    assert "tsk_" in made.text
    token = ApiToken.objects.get()
    assert [site.slug for site in token.sites] == ["main", "north"]
    for address in ("/settings/tokens/", "/sites/north/settings/tokens/"):
        assert "North" in client.get(address).text.partition("both")[2]


@pytest.mark.parametrize("number", [1, 3])
def test_further_sites_cost_a_request_one_query(
    sites: dict[str, MoodleSite], number: int, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    asking = program_of(sites, person_of(sites, "main", *SLUGS), *SLUGS[: number - 1])
    with django_assert_max_num_queries(9):
        assert asking.get("runs").status_code == 200
