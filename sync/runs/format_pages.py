"""The documentation page of a file type, from its declaration, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sync.columns.describe import describe_columns, sample_csv
from sync.columns.options import Choice, Flag, Number, Option, Text
from sync.processors.base.processor import Processor

_NOTE = "<!-- Written by `manage.py writedocs` from the declarations in sync/processors; edit those. -->"

# An option with more choices is told elsewhere.
_MOST_CHOICES = 20


def format_index(processors: Iterable[type[Processor]]) -> str:
    lines = [_NOTE, "", "# Command files", "", "| key | file type | default file name |", "|---|---|---|"]
    lines += [f"| [`{p.key}`]({p.key}.md) | {p.label} | `{p.default_filename}` |" for p in processors]
    return "\n".join(lines) + "\n"


def format_page(processor: type[Processor]) -> str:
    """Return the page of one file type: what it does, its columns, its options and a sample."""
    return "\n".join(_lines(processor)) + "\n"


def _lines(processor: type[Processor]) -> Iterator[str]:
    yield from (_NOTE, "", f"# {processor.label}", "", str(processor.summary), "")
    yield f"Key `{processor.key}`, default file `{processor.default_filename}`."
    if processor.columns.of_pictures:
        yield "The file is a zip: every picture in it is a row."
    elif processor.columns.headerless:
        yield "The file is a list: it has no header, and every line is a row."
    if processor.columns.one_of:
        yield f"The header needs at least one of: {', '.join(f'`{name}`' for name in processor.columns.one_of)}."
    yield from ("", "## Columns", "", "| column | required | values | empty cell | default for new | notes |")
    yield "|---|---|---|---|---|---|"
    for column in describe_columns(processor.columns):
        cells = (f"`{column.name}`", "yes" if column.required else "", column.values, column.empty, column.default)
        yield _row(*cells, column.help)
    yield from ("", "## Options", "", "| option | default | values | what it does |", "|---|---|---|---|")
    for option in processor.options.declared:
        yield _row(f"`{option.name}`", _default_of(option), _values_of(option), f"{option.label}. {option.help}")
    if processor.columns.of_pictures:
        return
    yield from ("", "## Sample", "", "```")
    yield from sample_csv(processor.columns).decode("utf-8-sig").splitlines()
    yield "```"


def _row(*cells: str) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _default_of(option: Option) -> str:
    if isinstance(option, Flag):
        return "1" if option.default else "0"
    if isinstance(option, Number):
        return str(option.default)
    if isinstance(option, Text):
        return f"`{option.default}`" if option.default else "empty"
    return f"`{option.default}`" if option.default else "detected"


def _values_of(option: Option) -> str:
    if isinstance(option, Flag):
        return "0, 1"
    if isinstance(option, Number):
        return f"0 to {option.most}"
    if isinstance(option, Choice):
        if len(option.choices) > _MOST_CHOICES:
            return f"one of {len(option.choices) - 1}, see [How a file is read](../reading-files.md#encodings)"
        return ", ".join(f"`{value}`" for value in option.choices if value)
    return "text"
