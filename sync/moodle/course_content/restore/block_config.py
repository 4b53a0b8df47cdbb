"""What blocks are set to, `block_instances.configdata`: ids and links inside of it.

Source: spec course_graph.md, block_instances; base64 of PHP's serialize()
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from sync.moodle.course_content.restore.php_values import PhpArray, dumps, loads

Find = Callable[[str, int], int | None]

# Settings that hold an id: block -> setting -> table.
_NAMED = {
    "glossary_random": {"glossary": "glossary"},
    "activity_results": {"activitygradeitemid": "grade_items"},
    "tags": {"ctx": "context"},
}
# Settings that hold an id of the activity whose kind stands in another one.
_ACTIVITY = {"activity_results": ("activityparent", ("activityid", "activityparentid"))}


def rewritten(config: str, blockname: str, find: Find, rewrite: Callable[[str], str]) -> str:
    """Return the settings of a block for a copy; those that can't be read stay as they are.

    Shape: find: (table, old id) -> new id; None = not in the copy, such an id stays; rewrite: for links in texts
    """
    try:
        settings = loads(base64.b64decode(config, validate=True))
        if not isinstance(settings, PhpArray):
            return config
        _rewrite_ids(settings, blockname, find)
        return base64.b64encode(dumps(_with_links(settings, rewrite))).decode()
    except ValueError:
        return config


def _rewrite_ids(settings: PhpArray, blockname: str, find: Find) -> None:
    tables = dict(_NAMED.get(blockname, {}))
    if blockname in _ACTIVITY:
        kind, names = _ACTIVITY[blockname]
        module = settings.pairs.get(kind.encode())
        if isinstance(module, bytes):
            tables |= dict.fromkeys(names, module.decode())
    for name, table in tables.items():
        key = name.encode()
        old = settings.pairs.get(key)
        number = int(old) if isinstance(old, int | bytes) and not isinstance(old, bool) and _is_number(old) else 0
        new = find(table, number) if number > 0 else None
        if new is not None:
            settings.pairs[key] = str(new).encode() if isinstance(old, bytes) else new


def _is_number(value: int | bytes) -> bool:
    return isinstance(value, int) or value.isdigit()


def _with_links(value: object, rewrite: Callable[[str], str]) -> object:
    if isinstance(value, bytes):
        return rewrite(value.decode()).encode()
    if isinstance(value, PhpArray):
        return PhpArray({key: _with_links(item, rewrite) for key, item in value.pairs.items()}, value.is_object)
    return value
