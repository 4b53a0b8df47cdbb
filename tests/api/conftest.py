"""People with tokens, and programs that ask with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from sync.models import MoodleSite, RoleAssignment, Scope
from sync.people.tokens import make_token
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.web.conftest import make_file, make_run, own_storage, site

__all__ = ["installation", "make_file", "make_run", "own_storage", "site"]

EVERYTHING = tuple(Scope)


class Program:
    """A program with a token. Shape: site: the address of its site"""

    def __init__(self, person: User, secret: str, site: str) -> None:
        self.person = person
        self.secret = secret
        self.base = f"/api/v1/sites/{site}"
        self._client = Client()

    def ask(self, method: str, address: str, body: Any = None, **headers: str) -> Any:
        """Return the answer of an address, below the one of the site unless it begins with /. Shape: body: as JSON, or bytes"""
        url = address if address.startswith("/") else f"{self.base}/{address}"
        content, kind = (
            (body, "application/octet-stream") if isinstance(body, bytes) else (json.dumps(body), "application/json")
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", kind)
        given = {"Authorization": f"Bearer {self.secret}", **named}
        return self._client.generic(method, url, b"" if body is None else content, content_type=kind, headers=given)

    def get(self, address: str, **headers: str) -> Any:
        return self.ask("GET", address, **headers)

    def post(self, address: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", address, {} if body is None else body, **headers)


MakeProgram = Callable[..., Program]


@pytest.fixture
def program(site: MoodleSite) -> MakeProgram:
    """Make somebody with a role, and a program with a token of theirs."""

    def program(
        role: str = "administrator", *scopes: str, file_types: tuple[str, ...] = (), only: tuple[str, ...] = (),
        at: MoodleSite = site, name: str = "",
    ) -> Program:  # fmt: skip
        """Shape: file_types: of the role; only: of the token; scopes: none = all of them"""
        person = User.objects.create_user(name or f"{role}{User.objects.count()}")
        RoleAssignment.objects.create(person=person, site=at, role=role, file_types=list(file_types))
        made = make_token(person, at, person, name="test", scopes=scopes or EVERYTHING, file_types=only, days=30)
        return Program(person, made.secret, at.slug)

    return program


@pytest.fixture
def rooted(installation: Installation) -> Program:
    """A program of a superuser, with a Moodle behind it."""
    person = User.objects.create_superuser("root")
    made = make_token(person, installation.site, person, name="sis", scopes=EVERYTHING, file_types=[], days=30)
    return Program(person, made.secret, "main")


@pytest.fixture
def root(program: MakeProgram) -> Program:
    """A program of an administrator, with every scope."""
    return program()


def problem_of(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem that an answer tells of, and make sure that it is this one."""
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["type"] == f"urn:toolsync:problem:{code}"
    assert len(problem["detail"]) > 10
    return problem
