"""Texts that a server takes for the same: what we tell by ourselves is held against what the server says."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from sync.moodle.db.collation import Collation
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from tests.servers import MariaDB

# ruff: noqa: RUF001 - letters that look alike are what this is about
COLLATIONS = (
    "utf8mb4_unicode_ci", "utf8mb4_general_ci", "utf8mb4_unicode_520_ci", "utf8mb4_unicode_nopad_ci", "utf8mb3_unicode_ci",
    "utf8mb4_danish_ci", "utf8mb4_spanish2_ci", "utf8mb4_bin",
)  # fmt: skip
LETTERS = "aAeEéÉèêëœŒæÆßsSnñÑlŁłoøÖöuüÜiıİjcçČhøåÅdđĐ tTþ.-_@0١1² 　\tαΑάжЖйあアｱ가漢🚀🍺"
# Apart by nothing but what collations ignore or not: accents, case, width, blanks at the end, ligatures, letters of a language.
PAIRS = [
    ("Été", "ete"), ("ete ", "ete"), ("ete", "ete\t"), ("Straße", "strasse"), ("Straße", "strase"), ("ﬁn", "fin"),
    ("aa", "å"), ("Łódź", "lodz"), ("ıI", "ii"), ("Éte\u0301", "éTÉ"), ("\u200bC1", "C1"), ("C1", "C1\u00a0"),
    ("🚀", "🍺"), ("llama", "lama"), ("２０", "20"), ("æ", "ae"), ("ø", "o"), ("а", "a"),
]  # fmt: skip


@pytest.fixture
def session(mariadb_server: MariaDB) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(mariadb_server.create_database("collations")))
    with database.session() as session:
        yield session
    database.dispose()
    mariadb_server.sql("DROP DATABASE collations")


def _pairs() -> list[tuple[str, str]]:
    dice = random.Random(20_261_129)
    texts = ["".join(dice.choices(LETTERS, k=dice.choice((1, 1, 2, 3)))) for _ in range(250)]
    return [*PAIRS, *zip(texts, dice.sample(texts, k=len(texts)), strict=True), *((t, t.swapcase()) for t in texts)]


@pytest.mark.parametrize("name", COLLATIONS)
def test_texts_fold_to_the_same_exactly_when_the_server_takes_them_for_the_same(
    session: MoodleSession, name: str
) -> None:
    fold = Collation(session, name)
    pairs = [pair for pair in _pairs() if name.startswith("utf8mb4") or max("".join(pair)) <= "\uffff"]
    charset = name.partition("_")[0]
    asked = ", ".join(
        f"CONVERT(:a{n} USING {charset}) = CONVERT(:b{n} USING {charset}) COLLATE {name}" for n in range(len(pairs))
    )
    params = {f"{side}{n}": text for n, pair in enumerate(pairs) for side, text in zip("ab", pair, strict=True)}
    (says,) = session.fetch(sa.text(f"SELECT {asked}"), params)
    wrong = [
        (pair, bool(same))
        for pair, same in zip(pairs, says, strict=True)
        if (fold(pair[0]) == fold(pair[1])) is not bool(same)
    ]
    # Normal forms are always the same for us, whatever the server says of them.
    assert [pair for pair, _same in wrong if pair != ("Éte\u0301", "éTÉ")] == []


def test_a_character_is_asked_about_once(session: MoodleSession) -> None:
    queries: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        queries.append(statement)

    fold = Collation(session, "utf8mb4_unicode_ci")
    fold("Été")
    sa.event.listen(session.connection.engine, "before_cursor_execute", count)
    assert [fold(text) for text in ("été", "ETE", "tétée")] == ["ete", "ete", "tetee"]
    assert queries == []
    fold.learn(f"cours n° {number} à é" for number in range(1000))
    assert len(queries) == 1
    fold("À cœur")
    assert len(queries) == 2
