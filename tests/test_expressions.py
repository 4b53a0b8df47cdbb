"""Every regular expression of ours, tried on hostile text: the time it takes grows with the length of the text, not faster.

What the source holds is found there; those that are made inside of a function stand in `MADE`, with what runs them.
"""

from __future__ import annotations

import ast
import gc
import re
import time
from collections.abc import Callable, Iterator, Sequence
from heapq import nlargest
from importlib import import_module
from itertools import islice, product
from pathlib import Path
from re import _parser as parser  # type: ignore[attr-defined] # the only description of an expression that there is
from typing import Any, NamedTuple

import pytest

from sync.columns.cell_texts import CellTexts
from sync.columns.clean import text as text_kind, without_tags
from sync.columns.column import NumberedColumn
from sync.columns.survey import _stated_orders
from sync.moodle.course_content.restore.single_forums import _strip_tags
from sync.moodle.course_content.restore.text_links import LiveLinks, _query
from sync.moodle.course_content.restore.text_replacements import TextReplacement
from sync.reader.cells import byte_patterns, split_cells
from sync.secret_texts import without_secrets
from sync.sources.location import matching

ROOT = Path(__file__).parent.parent
METHODS = ("fullmatch", "match", "search", "sub", "findall", "finditer", "split")
# Characters of the hostile texts. The slowest of a part of the first length, if they take longer, are tried at the second too.
SHORT, LONG = 2_000, 10_000
SUSPECT_SECONDS = 0.0005
SUSPECTS, PART = 3, 50

Run = Callable[[str], object]


class Attack(NamedTuple):
    """Something that is run on texts made of tokens."""

    name: str
    run: Run
    tokens: tuple[str, ...]


class _NoMaps(dict[Any, Any]):
    def get(self, *_key: Any) -> None:
        return None


def _try_all(text: str) -> None:
    line, patterns = text.encode(), byte_patterns(";")
    patterns.is_closed.match(line)
    for start in (0, len(line) // 2):
        for pattern in (patterns.opens, patterns.ends, patterns.quote):
            pattern.match(line, start)
    list(patterns.cell.finditer(line))


# Module and function of each expression that is made there -> what runs it, and the tokens of texts that could hurt it.
MADE: dict[str, tuple[Run, tuple[str, ...]]] = {
    "sync.reader.cells._text_cell": (lambda text: split_cells(text + '"', ";"), ('"', '""', ";", ';"', "a", " ")),
    "sync.reader.cells.byte_patterns": (_try_all, ('"', '""', ";", ';"', "a", " ", "\n")),
    "sync.columns.column.canonical": (
        lambda text: NumberedColumn(text_kind(), name="teacher", suffix="_role").canonical(text),
        ("teacher", "1", "0", "_role"),
    ),
    "sync.columns.cell_texts._marks_in_a_row": (
        lambda text: CellTexts().normal(text, "name", 1, is_of_one_line=False),
        ("\N{COMBINING ACUTE ACCENT}", "\N{COMBINING DOT BELOW}", "a", " "),
    ),
    "sync.moodle.course_content.restore.text_links.__init__": (
        lambda text: LiveLinks("http://localhost").rewrite(text, _NoMaps()),  # type: ignore[arg-type]
        ("//localhost", "/", "a", ".php", "?", "id=1&amp;", "/pluginfile.php/", "1"),
    ),
    "sync.moodle.course_content.restore.text_links._query": (
        lambda text: _query("/mod/a/view.php", text, _NoMaps()),  # type: ignore[arg-type]
        ("&amp;", "&", "id=1", "a"),
    ),
    "sync.moodle.course_content.restore.text_replacements.applied": (
        lambda text: TextReplacement("a", "b").applied(text),
        ("{{", "{", "a", " ", "}}"),
    ),
    # Of one line of 200 characters.
    "sync.processors.courses.cli_restore.run_cli_restore": (lambda text: re.findall(r"\d+", text), ("1", "a")),
}
# What has no expression because one would be slow.
PLAIN: dict[str, tuple[Run, tuple[str, ...]]] = {
    "_strip_tags": (_strip_tags, ("<", "<!--", "-->", "a", ">", "/")),
    "_stated_orders": (_stated_orders, ("a", "=", "=dmy", " ", "mdy")),
    "without_tags": (without_tags, ("<", "</", "a", ">", "<a", "!")),
    "matching": (lambda text: matching([text + "b"] * 3, "*a*a*a*a*a*a*a*ac"), ("a", "ab", "c")),
    "a wildcard of a thousand parts": (lambda text: matching([text], "*a" * 1000 + "b"), ("a", "b")),
    "without_secrets": (
        without_secrets,
        ("password", "=", ":", "'", '"', " ", "a", "://", "a://b:", "@", "/", "."),
    ),
}


def expressions() -> Iterator[Attack]:
    """Find the expressions that stand in a module, and what is done with each."""
    for path, module, _tree in sources():
        text = path.read_text(encoding="utf-8")
        for name, pattern in module_patterns(module):
            methods = [method for method in METHODS if f"{name}.{method}(" in text] or ["fullmatch"]
            for method in methods:
                yield Attack(f"{module}.{name}.{method}", runner(pattern, method), tokens_of(pattern))


def sources() -> Iterator[tuple[Path, str, ast.Module]]:
    for folder in ("sync", "toolsync_site"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            # A migration runs once, on what is there, and is never changed again.
            if path.parent.name != "migrations" and re.search(
                r"^(import|from) (re|fnmatch|glob)\b", text, re.MULTILINE
            ):
                yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(text)


def module_patterns(module: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    for name, value in vars(import_module(module)).items():
        for item in flat(value):
            pattern = getattr(item, "__self__", item)
            if isinstance(pattern, re.Pattern):
                yield name, pattern


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from flat(item)
    else:
        yield value


def runner(pattern: re.Pattern[Any], method: str) -> Run:
    is_bytes = isinstance(pattern.pattern, bytes)

    def run(text: str) -> object:
        subject: Any = text.encode("latin-1", "replace") if is_bytes else text
        if method == "sub":
            return pattern.sub(subject[:0], subject)
        found = getattr(pattern, method)(subject)
        return list(found) if method == "finditer" else found

    return run


def tokens_of(pattern: re.Pattern[Any]) -> tuple[str, ...]:
    """Return texts that parts of an expression match: its literals, and a character of each class."""
    source: Any = pattern.pattern
    literals = [""]
    tokens: dict[str, None] = {}

    def walk(parsed: Any) -> None:
        for code, argument in parsed:
            kind = str(code)
            if kind == "LITERAL":
                literals[0] += chr(argument)
                continue
            tokens[literals[0]], literals[0] = None, ""
            if kind == "IN":
                tokens[member_of(argument)] = None
            elif kind == "ANY":
                tokens["a"] = None
            else:
                for part in flat(list(argument) if isinstance(argument, (tuple, list)) else [argument]):
                    if isinstance(part, parser.SubPattern):
                        walk(part)
            tokens[literals[0]], literals[0] = None, ""

    walk(parser.parse(source.decode("latin-1") if isinstance(source, bytes) else source, pattern.flags & ~re.UNICODE))
    tokens[literals[0]] = None
    return tuple(token for token in tokens if token)


def member_of(members: Any) -> str:
    """Return a character of a class; "x" for those that are told by what they are not."""
    for code, argument in members:
        match str(code):
            case "NEGATE":
                return "x"
            case "LITERAL":
                return chr(argument)
            case "RANGE":
                return chr(argument[0])
            case "CATEGORY":
                return {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " "}.get(str(argument), "x")
    return "x"


def texts(tokens: Sequence[str], length: int) -> Iterator[str]:
    """Make hostile texts: a beginning, something repeated, and an end that doesn't fit."""
    tokens = tokens[:6]
    units = [*tokens, *("".join(pair) for pair in product(tokens, repeat=2))]
    for unit in units:
        body = unit * (length // len(unit))
        for beginning in ("", *tokens):
            for end in ("", "\0"):
                yield beginning + body + end
    for first, second, third in product(tokens, repeat=3):
        for end in ("\0", *tokens):
            yield first + second + third * (length // len(third)) + end


def seconds(run: Run, text: str, tries: int = 1) -> float:
    best = 60.0
    for _try in range(tries):
        started = time.process_time()
        run(text)
        best = min(best, time.process_time() - started)
    return best


def is_linear(run: Run, short: str, long: str) -> bool:
    # Five times the text takes twenty-five times as long where time grows with its square, however often it is tried; what
    # else is at work on the machine may spoil a few tries.
    return any(seconds(run, long, tries) < 2.2 * seconds(run, short, tries) * LONG / SHORT for tries in (3, 10, 30))


def assert_linear(attack: Attack) -> None:
    # The slowest of each part: an expression that is slow on every text has none that stands out.
    pairs = zip(texts(attack.tokens, SHORT), texts(attack.tokens, LONG), strict=True)
    # A collection of all that the tests hold in memory takes longer than any text.
    gc.disable()
    try:
        while part := list(islice(pairs, PART)):
            timed = ((seconds(attack.run, pair[0]), pair) for pair in part)
            for taken, (short, long) in nlargest(SUSPECTS, timed):
                if taken > SUSPECT_SECONDS and seconds(attack.run, short, 3) > SUSPECT_SECONDS:
                    assert is_linear(attack.run, short, long), f"{attack.name}: {short[:60]!r}"
    finally:
        gc.enable()


FOUND = list(expressions())


@pytest.mark.parametrize("attack", FOUND, ids=lambda attack: attack.name)
def test_an_expression_takes_time_in_proportion_to_the_text(attack: Attack) -> None:
    assert_linear(attack)


@pytest.mark.parametrize("name", [*MADE, *PLAIN])
def test_what_reads_foreign_text_takes_time_in_proportion_to_it(name: str) -> None:
    run, tokens = (MADE | PLAIN)[name]
    assert_linear(Attack(name, run, tokens))


def test_no_expression_is_left_out() -> None:
    found = {attack.name.rsplit(".", 2)[0] for attack in FOUND}
    for _path, module, tree in sources():
        assert not any(
            isinstance(node, (ast.Import, ast.ImportFrom)) and "fnmatch" in ast.unparse(node) for node in ast.walk(tree)
        ), f"{module}: fnmatch makes slow expressions of foreign text"
        made = {f"{module}.{name}" for name in functions_with_expressions(tree)}
        assert made <= MADE.keys()
        assert made or module in found


def functions_with_expressions(tree: ast.Module) -> Iterator[str]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and any(
            isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.func.attr != "escape"  # type: ignore[attr-defined]
            for node in ast.walk(function)
        ):
            yield function.name


@pytest.mark.parametrize(
    ("expression", "method"),
    [
        (r"</?[A-Za-z!][^>]*>", "sub"),
        (r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s@'\"]*:[^\s'\"]*@", "sub"),
        (r"\b\w*(?:password|token)\w*['\"]?\s*=", "sub"),
        (r"(\S+)=(dmy|mdy)(?!\S)", "findall"),
        (r"<(?:!--.*?-->|[/!?a-zA-Z][^>]*>)", "sub"),
    ],
)
def test_a_slow_expression_is_found(expression: str, method: str) -> None:
    pattern = re.compile(expression)
    with pytest.raises(AssertionError):
        assert_linear(Attack(expression, runner(pattern, method), tokens_of(pattern)))


def test_links_upon_links_of_a_site_whose_name_has_no_dot_take_no_time() -> None:
    started = time.process_time()
    LiveLinks("http://localhost").rewrite("//localhost" * 20_000, _NoMaps())  # type: ignore[arg-type]
    assert time.process_time() - started < 3
