"""Every code that the source names has a text, every text is named somewhere, and gets the values that it speaks of."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.utils import translation

from sync.messages import Quantity, text_at_column, text_of, texts

SOURCE = Path(__file__).resolve().parent.parent / "sync"
PLACEHOLDER = re.compile(r"%\((\w+)\)")
# What these are made of gets the column at fault on its way to the report.
WITH_COLUMN = {"CellError", "Rejection", "RowError"}


class Taker(NamedTuple):
    """Something of ours that is called with a code.

    Shape: code, params: their places among the arguments, None = not there; takes_any: has **params
    """

    code: int
    params: int | None
    takes_any: bool


class Use(NamedTuple):
    """A code that the source names in a call. Shape: given: names of its values, None = can't be told from the source."""

    place: str
    code: str
    given: set[str] | None


@cache
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text())
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "messages.py"
    }


@cache
def takers() -> dict[str, Taker]:
    """Functions with an argument `code`, and classes that are made with one."""
    found: dict[str, Taker] = {}
    bases: dict[str, list[str]] = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                _add(found, node.name, _argument_names(node), takes_any=node.args.kwarg is not None)
            elif isinstance(node, ast.ClassDef):
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
                fields = [
                    s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
                ]
                _add(found, node.name, fields, takes_any=False)
                for method in node.body:
                    if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                        _add(found, node.name, _argument_names(method), takes_any=method.args.kwarg is not None)
    while inherited := [name for name in bases if name not in found and any(base in found for base in bases[name])]:
        for name in inherited:
            found[name] = next(found[base] for base in bases[name] if base in found)
    return found


def _argument_names(function: ast.FunctionDef) -> list[str]:
    names = [argument.arg for argument in function.args.args]
    return names[1:] if names[:1] == ["self"] else names


def _add(found: dict[str, Taker], name: str, arguments: list[str], *, takes_any: bool) -> None:
    if "code" in arguments and name != "__init__":
        params = arguments.index("params") if "params" in arguments else None
        found[name] = Taker(arguments.index("code"), params, takes_any)


def uses() -> Iterator[Use]:
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (taker := takers().get(_name_of(node.func))) is not None:
                for code in _codes(_argument(node, taker.code, "code")):
                    yield Use(f"{path}:{node.lineno}", code, _given(node, taker))


def _name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def _codes(node: ast.expr | None) -> list[str]:
    if isinstance(node, ast.IfExp):
        return _codes(node.body) + _codes(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value else []


def _given(call: ast.Call, taker: Taker) -> set[str] | None:
    always = {"column"} if _name_of(call.func) in WITH_COLUMN else set()
    if taker.params is not None:
        params = _argument(call, taker.params, "params")
        if isinstance(params, ast.Dict) and all(isinstance(key, ast.Constant) for key in params.keys):
            return always | {str(key.value) for key in params.keys if isinstance(key, ast.Constant)}
        return None
    names = [keyword.arg for keyword in call.keywords]
    if not taker.takes_any or None in names:
        return None
    return always | {name for name in names if name is not None}


@cache
def constants() -> set[str]:
    return {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def composed_codes() -> set[str]:
    """Patterns of the codes that f-strings make: f"{kind}_created"."""
    composed = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else r"[a-z]+" for part in node.values]
                pattern = "".join(map(str, parts))
                if re.fullmatch(r"(\[a-z\]\+|[a-z_])*_[a-z]+", pattern):
                    composed.add(pattern)
    return composed


def test_the_uses_are_found() -> None:
    found = {use.code: use.given for use in uses()}
    assert len(found) > 150
    assert found["header_empty_name"] == {"line", "place"}
    assert found["too_few_cells"] == {"cells", "width", "column"}
    assert found["blobs_left"] == {"size"}
    assert found["account_deleted_id"] == {"id"}
    assert "account_suspended" in constants()


def test_every_code_has_a_text() -> None:
    assert sorted((use.place, use.code) for use in uses() if use.code not in texts().by_code) == []


def test_every_text_gets_the_values_that_it_speaks_of() -> None:
    missing = [
        (use.place, use.code, sorted(lacking))
        for use in uses()
        if use.given is not None and (lacking := set(PLACEHOLDER.findall(str(texts().by_code[use.code]))) - use.given)
    ]
    assert missing == []


def test_every_text_is_used() -> None:
    patterns = [re.compile(pattern) for pattern in composed_codes()]
    unused = [
        code
        for code in sorted(texts().by_code.keys() - constants())
        if not any(pattern.fullmatch(code) for pattern in patterns)
    ]
    assert unused == []


@pytest.mark.parametrize("code", sorted(texts().by_code))
def test_a_text_can_be_said(code: str) -> None:
    params = dict.fromkeys(PLACEHOLDER.findall(str(texts().by_code[code])), "x")
    text = text_of(code, params)
    assert text
    assert "%(" not in text


def test_the_column_at_fault_stands_in_front() -> None:
    assert text_at_column("cell_empty", {"column": "city"}) == "column city: The cell is empty. Fill it in."
    assert text_at_column("cell_empty", {"column": ""}) == "The cell is empty. Fill it in."


def test_a_code_without_text_is_shown_as_it_is() -> None:
    assert text_of("no_such_code", {"a": 1}) == "no_such_code"


@pytest.mark.parametrize(
    ("language", "code", "params", "said"),
    [
        ("en", "mend_too_many", {"count": 100_000, "most": 20_000}, "100,000 rows failed, and at most 20,000 are"),
        ("fr", "mend_too_many", {"count": 100_000, "most": 20_000}, "100\xa0000 lignes ont échoué, et au plus 20\xa0000 se"),
        ("en", "guard_fewer_rows", {"count": 999, "before": 12_481}, "999 rows, the last one that was carried out had 12,481:"),
        ("en", "file_too_large", {"name": "a.csv", "size": 2_100, "limit": 1_024}, "has 2,100 MB; at most 1,024 MB"),
        ("en", "internal_error", {"number": 20_261_201}, "the number 20261201"),
        ("en", "quotes_doubtful", {"first": 2_000, "last": 12_481, "cells": 9}, "lines 2000 to 12481"),
    ],
)  # fmt: skip
def test_quantities_are_written_as_people_do(language: str, code: str, params: dict[str, Any], said: str) -> None:
    with translation.override(language):
        assert said in text_of(code, params)


def test_a_quantity_is_a_number_that_says_itself_in_groups() -> None:
    many = Quantity(12_481)
    assert (f"{many}", many + 1) == ("12,481", 12_482)
    assert json.dumps([many]) == "[12481]"
    with translation.override("fr"):
        assert [str(many), str(Quantity(999))] == ["12\xa0481", "999"]
