"""Every address of the API: who gets in with which token."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.urls import URLPattern
from pytest_django import Settings
from rest_framework.views import APIView

from sync.api.schema import OpenApi
from sync.api.urls import urlpatterns
from sync.models import MoodleSite, Scope
from tests.api.conftest import MakeProgram, problem_of

METHODS = ("get", "post", "put", "patch", "delete")
# What stands in addresses in place of the names in them.
NAMES = {"<slug:site>": "main", "<slug:file_type>": "users", "<slug:kind>": "report"}


class Place(NamedTuple):
    """A method of an address. Shape: view: its class"""

    address: str
    method: str
    view: type[APIView]


def places() -> list[Place]:
    found = []
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", None))
        if not isinstance(pattern, URLPattern) or view is None or pattern.name == "nothing":
            continue
        address = "/api/" + str(pattern.pattern)
        for name, value in NAMES.items():
            address = address.replace(name, value)
        for name in ("file", "upload", "run", "schedule", "sequence", "bundle", "mapping", "scope", "window"):
            address = address.replace(f"<int:{name}_id>", "1")
        assert "<" not in address
        found += [Place(address, method, view) for method in METHODS if hasattr(view, method)]
    return found


PLACES = places()


def test_the_addresses_are_found() -> None:
    assert len(PLACES) > 60
    assert len({(place.address, place.method) for place in PLACES}) == len(PLACES)


@pytest.mark.django_db
def test_nobody_gets_in_without_a_token(program: MakeProgram) -> None:
    asking = program("viewer")
    asking.secret = ""
    for place in PLACES:
        problem_of(asking.ask(place.method.upper(), place.address, {}), 401, "token_missing")


def test_no_token_of_another_site_gets_in(program: MakeProgram, site: MoodleSite) -> None:
    elsewhere = program(at=MoodleSite.objects.create(slug="other", name="Another Moodle"))
    for place in PLACES:
        if "/sites/" in place.address:
            problem_of(elsewhere.ask(place.method.upper(), place.address, {}), 403, "token_of_another_site")


def test_every_method_asks_for_a_scope(program: MakeProgram) -> None:
    """What only a token of other scopes may do is refused before anything is looked up."""
    by_scope = {scope: program("administrator", scope) for scope in Scope}
    for place in PLACES:
        if place.view is OpenApi or place.address == "/api/v1/token":
            continue
        wanted = place.view.scopes[place.method.upper()]
        assert wanted, place
        assert place.method == "get" or set(wanted) - {Scope.READ}, place
        for scope in set(Scope) - set(wanted):
            problem_of(by_scope[scope].ask(place.method.upper(), place.address, {}), 403, "scope_missing")


def test_who_has_no_role_any_more_gets_nothing_of_the_site(program: MakeProgram) -> None:
    asking = program("viewer", file_types=("courses_check",))
    asking.person.role_assignments.all().delete()
    for place in PLACES:
        answer = asking.ask(place.method.upper(), place.address, {})
        if "/sites/" in place.address:
            problem_of(answer, 403, "permission_missing")
        else:
            assert answer.status_code in (200, 400, 403, 404, 415), (place, answer.content)


def test_nothing_is_changed_on_a_site_that_is_out_of_use(program: MakeProgram) -> None:
    away = MoodleSite.objects.create(slug="old", name="Old")
    asking = program("administrator", at=away)
    MoodleSite.objects.filter(pk=away.pk).update(in_use=False)
    tried = 0
    for place in PLACES:
        if "/sites/main/" not in place.address:
            continue
        answer = asking.ask(place.method.upper(), place.address.replace("/main/", "/old/"), {})
        if place.method == "get":
            assert answer.status_code in (200, 400, 404, 409, 503), (place, answer.content)
        else:
            problem_of(answer, 409, "site_out_of_use")
            tried += 1
    assert tried > 30
    assert asking.get("schedules").status_code == 200


def test_refused_requests_count_as_well(program: MakeProgram, settings: Settings) -> None:
    settings.TOOLSYNC_API_REQUESTS_PER_MINUTE = 3
    asking = program("administrator", Scope.READ)
    # A minute may begin between.
    codes = [asking.post("schedules", {}).status_code for _try in range(8)]
    assert set(codes) == {403, 429}
    assert codes.count(403) <= 6
