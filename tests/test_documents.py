"""What the documents say about the code: every path is there, and every word of the glossary is where it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = ROOT / "docs" / "decisions"
# Words that somebody who knows Django and Moodle searches for.
SEARCHED = ("retry", "lease", "notification", "restore", "dry run", "encryption", "rate limit", "progress")


def glossary() -> dict[str, list[str]]:
    """Return for each word of the glossary the paths that it names. Shape: several words of a row have the same ones"""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    lines = text.partition("## Glossary\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")][1:]
    return {word: re.findall(r"`(\S+)`", row[-1]) for row in rows for word in row[0].split(", ")}


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_every_path_and_link_of_a_page_is_there(document: Path) -> None:
    text = document.read_text()
    paths = re.findall(r"`((?:sync|tests|docs|bin|templates|toolsync_site)/[\w./-]*\w)/?`", text)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_word_of_the_glossary_has_its_place() -> None:
    words = glossary()
    assert len(words) > 25
    for word, paths in words.items():
        assert paths, word
        assert [path for path in paths if word not in (ROOT / path).read_text().lower()] == [], word


@pytest.mark.parametrize("word", SEARCHED)
def test_a_search_for_the_standard_word_finds_the_module(word: str) -> None:
    for path in glossary()[word]:
        docstring = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
        assert re.search(rf"\b{word}", docstring.replace("\n", " "), re.IGNORECASE), path


def test_every_decision_has_a_number_of_its_own_and_stands_in_the_index() -> None:
    pages = sorted(path.name for path in DECISIONS.glob("0*.md"))
    numbers = [name[:4] for name in pages]
    assert sorted(set(numbers)) == numbers
    assert re.findall(r"\((0[\w-]+\.md)\)", (DECISIONS / "index.md").read_text()) == pages
    for name in pages:
        assert (DECISIONS / name).read_text().startswith(f"# {int(name[:4])}. "), name
