"""Where the content of a course comes from, and where it goes: what a live course and an archive have in common.

Ids, references and links in what a source gives are its own, "old" ones; `restore_content` turns them into new ones.
Columns whose reference is called "site" in graph.json (`modules`, `role`, `tag`, `customfield_field` …) hold ids of the
site already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from sync.moodle.course_content.graph.graph import GraphFileArea

Row = dict[str, Any]

# Archives of the course are no content of it, and Moodle makes the generated picture anew.
_NEVER = {"backup", "tool_recyclebin"}
_GENERATED = ("course", "generated")

# The most rows that a source gives at a time.
BATCH_ROWS = 2_000


class SourceContext(NamedTuple):
    """What a context belongs to. Shape: level: 50 course, 70 activity, 80 block; instanceid: the course's, cm's or block's id."""

    level: int
    instanceid: int


@dataclass(frozen=True)
class CourseTarget:
    """A course that exists, and has neither sections nor blocks of its own unless it is filled.

    Shape: is_filled: the content is added to what it has; is_emptied: what it held went before; path: of its context,
    "/1/20/50"; values: columns of its row that were taken from the source and may refer to its content (`summary`,
    `defaultgroupingid`); own_fields: custom fields, own_options: format options of the whole course, that are set already
    Units: date_offset: seconds by which dates move
    """

    courseid: int
    contextid: int
    path: str
    date_offset: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    own_fields: frozenset[int] = frozenset()
    own_options: frozenset[str] = frozenset()
    is_filled: bool = False
    is_emptied: bool = False


@dataclass
class IdMap:
    """New ids by old ones, table by table. The course itself and its context are in it."""

    by_table: dict[str, dict[int, int]] = field(default_factory=dict)

    def of(self, table: str) -> dict[int, int]:
        return self.by_table.setdefault(table, {})

    def get(self, table: str, old: int) -> int | None:
        return self.by_table.get(table, {}).get(old)


class LinkRewriter(Protocol):
    """How links in texts name things, and what becomes of them."""

    def has_links(self, text: str) -> bool:
        """Tell, fast, whether a text may hold links; only such texts are looked at again once all ids are known."""

    def rewrite(self, text: str, maps: IdMap) -> str:
        """Return the text with links to the copy. A link whose target isn't in it stays (or becomes) one to the original."""


class ContentSource(Protocol):
    """The content of one course, without user data.

    Shape: courseid: the old id of the course
    """

    @property
    def courseid(self) -> int: ...

    @property
    def with_groups(self) -> bool:
        """Whether groups and groupings are among the content, if there are any."""

    @property
    def links(self) -> LinkRewriter: ...

    def tables(self) -> Collection[str]:
        """Return the tables of the graph that hold rows, `course`, `context` and `files` left out."""

    def rows(self, table: str) -> Iterator[Sequence[Row]]:
        """Return the content rows of a table by rising `id`, in batches of at most BATCH_ROWS.

        Shape: `id`, and the columns of the table; those that a row lacks take their defaults
        """

    def contexts(self) -> Mapping[int, SourceContext]:
        """Return the contexts of the course, its activities and blocks by their old ids."""

    def files(self) -> Iterator[Sequence[Row]]:
        """Return rows of `files` whose content is in Moodle's pool, in batches; `contextid` and `itemid` are old ones."""

    def outside(self, table: str, old: int) -> int | None:
        """Return the id, on the target's site, of a row that is no part of the content: a site's scale or LTI type, a question
        of another bank, a user. None when there is no such row there.
        """


def is_content(row: Row, areas: Mapping[tuple[str, str], GraphFileArea]) -> bool:
    """Tell whether a file goes into a copy: files of people and archives don't."""
    area = areas.get((row["component"], row["filearea"]))
    if row["component"] in _NEVER or (row["component"], row["filearea"]) == _GENERATED:
        return False
    return area is None or not area.is_userdata
