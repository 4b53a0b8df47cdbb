"""A header that is none may hold a password: it isn't repeated."""

from __future__ import annotations

import pytest

from sync.columns.header import is_secret_name, match_header
from sync.errors import HeaderError
from sync.messages import text_of
from sync.processors.registry import REGISTRY
from sync.values import Header

SECRETS = ("Hunter2-abc", "hunter2#abc", "p@ssw0rd", "Tr0ub4dor&3", "1234567890")


def header(*names: str) -> Header:
    return Header(1, b"", tuple(name.lower() for name in names), names)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("key", ["users", "enrolments", "groups", "cohorts"])
@pytest.mark.parametrize("others", [("ann", "Ann", "Lee"), ("email", "Ann", "Lee"), ("ann", "username", "x", "y")])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_row_in_place_of_the_header_is_not_repeated(
    secret: str, key: str, others: tuple[str, ...], lenient: bool
) -> None:
    with pytest.raises(HeaderError) as refused:
        match_header(REGISTRY[key].columns, header(*others, secret), lenient=lenient)
    assert secret.lower() not in text_of(refused.value.code, refused.value.params).lower()


@pytest.mark.parametrize("secret", SECRETS)
def test_a_password_among_the_names_of_columns_is_not_repeated(secret: str) -> None:
    names = header("username", "firstname", "lastname", "email", secret)
    columns = REGISTRY["users"].columns
    with pytest.raises(HeaderError) as refused:
        match_header(columns, names)
    said = text_of(refused.value.code, refused.value.params)
    assert match_header(columns, names, lenient=True).ignored == ((secret,) if secret == SECRETS[0] else ("(5)",))
    assert secret == SECRETS[0] or (secret not in said and "(5)" in said)


@pytest.mark.parametrize(
    "name", ["password", "passwd", "pwd", "Mot de passe", "new_password", "mdp", "Kennwort", "api_token", "contraseña"]
)
def test_cells_under_such_a_name_are_hidden(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["username", "email", "department", "profile_field_pinboard", "course1", "idnumber"])
def test_cells_under_other_names_are_shown(name: str) -> None:
    assert not is_secret_name(name)
