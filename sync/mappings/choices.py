"""What a person chooses for one column of a file, as a page has it, and the steps that it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sync.columns.column import NumberedColumn, PrefixedColumn
from sync.columns.file_columns import ADDED_COLUMNS, Columns
from sync.columns.header import is_secret_name
from sync.columns.synonyms import suggestion
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.header_keys import column_keys
from sync.mappings.steps import NO_WORDS, Constant, Copy, Join, Part, Step, Words

# In a list of words: all that is not named.
_EVERY_OTHER = "*"

# Slips of the hand are looked for in so many columns: of thousands that would take a second.
_MOST_COMPARED = 400


class ColumnChoice(NamedTuple):
    """What becomes of one column.

    Shape: to: what it becomes, "" = nothing; also: a second column that it becomes; split: what separates its parts, of which the
    first is meant; rest: what the other parts become; joined: key of a column that stands behind it; glue: what stands between
    the two; words: "Femme = F", one a line, "* = X" for every other
    """

    to: str = ""
    also: str = ""
    split: str = ""
    rest: str = ""
    joined: str = ""
    glue: str = ""
    words: str = ""


def choice_of(mapping: ColumnMapping, key: str, own: str) -> ColumnChoice:
    """Return what is chosen for a column. Shape: own: the column of the file type that its name means, "" = none"""
    steps = [step for step in mapping.steps if step.sources[:1] == (key,)]
    if not steps:
        stays = own and key not in mapping.left_out and key not in mapping.sources
        return ColumnChoice(own if stays else "")
    first, *others = steps
    rest = next((step.target for step in others if isinstance(step, Part) and step.number == 2), "")
    also = next((step.target for step in others if isinstance(step, Copy)), "")
    choice = ColumnChoice(first.target, also=also, rest=rest, words=words_text(first.words))
    match first:
        case Part():
            return choice._replace(split=first.separator)
        case Join():
            return choice._replace(joined=first.parts[1] if len(first.parts) > 1 else "", glue=first.separator)
    return choice


def with_choice(mapping: ColumnMapping, key: str, own: str, choice: ColumnChoice) -> ColumnMapping:
    """Return the mapping with another choice for a column; it is no longer the one that was kept under a name."""
    steps = _steps_of(key, own, choice)
    others = tuple(step for step in mapping.steps if step.sources[:1] != (key,))
    left_out = tuple(other for other in mapping.left_out if other != key)
    is_used = steps or any(key in step.sources for step in others) or (own and choice.to == own)
    return ColumnMapping((*others, *steps), left_out if is_used else (*left_out, key))


def with_constants(mapping: ColumnMapping, constants: Mapping[str, str]) -> ColumnMapping:
    """Return the mapping with these columns the same in every row, and no others. Shape: constants: target -> value"""
    steps = tuple(step for step in mapping.steps if not isinstance(step, Constant))
    return ColumnMapping((*steps, *(Constant(target, value) for target, value in constants.items())), mapping.left_out)


def constants_of(mapping: ColumnMapping) -> dict[str, str]:
    """Return the columns that are the same in every row. Shape: target -> value"""
    return {step.target: step.constant for step in mapping.steps if isinstance(step, Constant)}


def guessed_mapping(columns: Columns, spelled: Sequence[str]) -> ColumnMapping:
    """Return what the columns of a file probably mean: those that the file type knows stay, others become what they resemble."""
    keys = column_keys(spelled)
    own = [own_column(columns, name) for name in spelled]
    taken = set(filter(None, own))
    steps: list[Step] = []
    left_out: list[str] = []
    for place, (key, name) in enumerate(zip(keys, spelled, strict=True)):
        if name.lower() in ADDED_COLUMNS or own[place]:
            continue
        meant = suggestion(columns, name.lower(), takes_slips=place < _MOST_COMPARED)
        # A password must not be shown because its column is called nearly like another.
        if meant and meant not in taken and is_secret_name(name) <= is_secret_name(meant):
            taken.add(meant)
            steps.append(Copy(meant, key))
        else:
            left_out.append(key)
    return ColumnMapping(tuple(steps), tuple(left_out))


def without_unknown(mapping: ColumnMapping, keys: Sequence[str]) -> ColumnMapping:
    """Return what of a mapping can be done with columns of these keys."""
    steps = tuple(step for step in mapping.steps if set(step.sources).issubset(keys))
    left_out = tuple(key for key in mapping.left_out if key in keys)
    same = (steps, left_out) == (mapping.steps, mapping.left_out)
    return mapping if same else replace(mapping, steps=steps, left_out=left_out, name="", version=0)


def own_column(columns: Columns, name: str) -> str:
    """Return the column of the file type that a name of a header means, "" = none."""
    found = columns.find(name.lower())
    return found[1] if found is not None and not found[0].ignored else ""


def target_names(columns: Columns) -> list[str]:
    """Return what a column of a file may become; of numbered columns the first."""
    shown = [column for column in columns if not column.ignored and not isinstance(column, PrefixedColumn)]
    return [column.numbered(column.least) if isinstance(column, NumberedColumn) else column.name for column in shown]


def words_text(words: Words) -> str:
    """Return translated words as a person writes them, one a line."""
    lines = [f"{cell} = {value}" for cell, value in words.pairs.items()]
    return "\n".join([*lines, f"{_EVERY_OTHER} = {words.otherwise}"] if words.otherwise is not None else lines)


def read_words(text: str) -> Words:
    """Return the words of a list with one translation a line; lines without `=` say nothing."""
    parts = [line.partition("=") for line in text.splitlines() if "=" in line]
    pairs = {cell.strip(): value.strip() for cell, _is, value in parts}
    otherwise = pairs.pop(_EVERY_OTHER, None)
    return Words(pairs, otherwise) if pairs or otherwise is not None else NO_WORDS


def _steps_of(key: str, own: str, choice: ColumnChoice) -> tuple[Step, ...]:
    if choice == ColumnChoice(own):
        return ()
    words = read_words(choice.words)
    steps: list[Step] = []
    if choice.to and choice.split:
        steps.append(Part(choice.to, key, choice.split, 1, words=words))
    elif choice.to and choice.joined:
        steps.append(Join(choice.to, (key, choice.joined), choice.glue or " ", words=words))
    elif choice.to:
        steps.append(Copy(choice.to, key, words=words))
    if choice.rest:
        steps.append(Part(choice.rest, key, choice.split or " ", 2, to_end=True))
    if choice.also:
        steps.append(Copy(choice.also, key))
    return tuple(steps)
