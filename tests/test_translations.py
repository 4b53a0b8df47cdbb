"""The French catalogue is complete, keeps its placeholders, and is what people see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation.template import templatize
from pytest_django import Settings

from sync.messages import text_of, texts

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "sync" / "locale" / "fr" / "LC_MESSAGES" / "django.po"

MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy"}
# What Django makes of a template for xgettext: calls in the midst of blanked text, so not Python as a whole.
MARKED_IN_TEMPLATE = re.compile(r"""\b(?:_|gettext|ngettext)\(\s*(u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))""")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
TAG = re.compile(r"<[^>]*>")
# A space that may break before : ; ! ? » or after «, or an apostrophe of a typewriter.
BAD_FRENCH = re.compile(r" [:;!?»]|« |'")
# A person of Moodle is a user, and there are file types; rows are rejected. Databases have accounts, and
# Google has service accounts.
OTHER_WORDS = re.compile(r"(?<!database )(?<!service )\b[Aa]ccounts?\b|\b[Tt]ools?\b|\b[Rr]efus|\b[Nn]otices?\b")
OTHER_WORDS_IN_FRENCH = re.compile(
    r"\b(?:aucun|autre|ce|chaque|de|des|du|le|les|nouveaux|seul|un|votre) comptes?\b(?! de (?:base de données|service))"
    r"|^[Cc]omptes?\b|\b[Oo]utils?\b|\brefusée?s?\b|\bavis\b"
)
# The name of a permission, which stays as it is; and what isn't about rows.
MAY_STAY = {"Can set when tools run by themselves", "Not allowed"}


def texts_of_module(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            yield ast.literal_eval(node.args[0])


def plurals_of_module(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("ngettext"):
            yield ast.literal_eval(node.args[1])


def texts_of_template(path: Path) -> Iterator[str]:
    for literal in MARKED_IN_TEMPLATE.findall(templatize(path.read_text(), origin=str(path))):
        yield ast.literal_eval(literal)


@cache
def marked_texts() -> set[str]:
    modules = [path for folder in ("sync", "toolsync_site") for path in (ROOT / folder).rglob("*.py")]
    templates = (path for path in (ROOT / "templates").rglob("*") if path.suffix in {".html", ".txt"})
    return {
        *(text for path in modules for text in texts_of_module(path)),
        *(text for path in templates for text in texts_of_template(path)),
    }


@cache
def entries() -> list[polib.POEntry]:
    return [entry for entry in polib.pofile(str(CATALOGUE)) if not entry.obsolete]


def texts_of_entry(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.fixture
def in_french(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Speak French by the catalogue as it stands, whatever the last set-up compiled."""
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    polib.pofile(str(CATALOGUE)).save_as_mofile(str(folder / "django.mo"))
    settings.LOCALE_PATHS = [tmp_path]
    with translation.override("fr"):
        yield


def test_texts_of_code_and_templates_are_found() -> None:
    # A text that depends on a number shows as its plural where none is given.
    plurals = {text for path in (ROOT / "sync").rglob("*.py") for text in plurals_of_module(path)}
    assert {str(text) for text in texts().by_code.values()} <= marked_texts() | plurals
    assert {
        "Log in",
        "File area",
        "%(n)s second",
        "Run %(id)s of <strong>%(path)s</strong> (%(size)s)",
    } <= marked_texts()


def test_every_text_is_in_the_catalogue_and_none_is_left_over() -> None:
    known = {entry.msgid for entry in entries()}
    assert sorted(marked_texts() - known) == [], "run make messages, and translate these"
    assert sorted(known - marked_texts()) == [], "run make messages: nothing says these any more"


def test_every_text_is_translated_and_none_is_a_guess() -> None:
    assert [entry.msgid for entry in entries() if entry.fuzzy or not all(texts_of_entry(entry))] == []


def test_plurals_have_both_forms() -> None:
    assert [entry.msgid for entry in entries() if entry.msgid_plural and set(entry.msgstr_plural) != {0, 1}] == []


@pytest.mark.parametrize("pattern", [PLACEHOLDER, TAG], ids=["placeholders", "html-tags"])
def test_translations_keep_what_is_not_language(pattern: re.Pattern[str]) -> None:
    wrong = [
        (entry.msgid, text)
        for entry in entries()
        for text in texts_of_entry(entry)
        if sorted(set(pattern.findall(text))) != sorted(set(pattern.findall(entry.msgid)))
    ]
    assert wrong == []


def test_translations_keep_to_french_typography() -> None:
    texts = [text for entry in entries() for text in texts_of_entry(entry)]
    assert [text for text in texts if BAD_FRENCH.search(TAG.sub("", text))] == []


def test_one_word_is_said_for_one_thing() -> None:
    spoken = [entry for entry in entries() if entry.msgid not in MAY_STAY]
    english = [PLACEHOLDER.sub("", text) for entry in spoken for text in (entry.msgid, entry.msgid_plural)]
    french = [text for entry in spoken for text in texts_of_entry(entry)]
    assert [text for text in english if OTHER_WORDS.search(text)] == []
    assert [text for text in french if OTHER_WORDS_IN_FRENCH.search(text)] == []


@pytest.mark.usefixtures("in_french")
def test_a_message_is_said_in_french() -> None:
    assert text_of("value_too_long", {"length": 300, "limit": 100}) == (
        "Le texte compte 300 caractères\N{NO-BREAK SPACE}; Moodle en garde ici au plus 100. Raccourcissez-le."
    )


@pytest.mark.usefixtures("in_french")
@pytest.mark.parametrize(("count", "said"), [(0, "0 seconde"), (1, "1 seconde"), (2, "2 secondes")])
def test_nothing_is_singular_in_french(count: int, said: str) -> None:
    assert translation.ngettext("%(n)s second", "%(n)s seconds", count) % {"n": count} == said


@pytest.mark.usefixtures("in_french")
def test_pages_are_shown_in_french(admin_client: Client) -> None:
    text = admin_client.get(reverse("home"), headers={"accept-language": "fr"}).text
    assert '<html lang="fr"' in text
    assert "Nouvel import" in text
    assert "Premiers pas" in text
    assert "First steps" not in text
