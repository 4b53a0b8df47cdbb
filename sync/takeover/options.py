"""From the settings of the plugin to the options of file types, by the names that these know of the plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sync.columns.general_options import GeneralOptions
from sync.columns.options import Choice, Option
from sync.errors import OptionError
from sync.models import MoodleSite, ProcessorSettings
from sync.processors.registry import REGISTRY
from sync.takeover.findings import Fate, Part, TakenItem

# Of all file types, under their own names.
_GENERAL = ("encoding", "csvseparator", "invalidnamesnocheck", "storereport", "filearchive", "filefailed", "filecleanup",
            "discardfileonfailure")  # fmt: skip
# What the plugin writes by itself; here it is found out for each file, which no setting does better.
_DETECTED = {"encoding": "UTF-8", "csvseparator": ";"}
# How older versions of the plugin have stored what courses are found by.
_NUMBERED = {"0": "idnumber", "1": "shortname", "2": "id"}
_COURSE_IDENTIFIER = "courseidentifier"
_LENIENT = "skipinvalidcells"
# What the plugin did, and users_restore, which it only announced.
_FILE_TYPES = (
    "users", "users_delete", "users_suspend", "users_restore", "userpictures", "courses", "courses_check", "courses_delete",
    "courses_reset", "courses_meta", "enrolments", "groups", "groupmembers", "cohorts", "cohort_courses",
)  # fmt: skip


class OptionChange(NamedTuple):
    """An option that is to be set for a file type."""

    processor: str
    option: str
    value: Any


def file_types() -> list[str]:
    """Return the keys of the file types that the plugin had, in the order of the registry."""
    return [key for key in REGISTRY if key in _FILE_TYPES]


def is_known(name: str) -> bool:
    """Tell whether a setting of the plugin is an option of file types, or one of those that did nothing."""
    return name in _GENERAL or any(_find(processor.options, name) for processor in REGISTRY.values()) or name in dead()


def dead() -> frozenset[str]:
    """Return the settings of the plugin that no code of it read."""
    return frozenset().union(*(processor.options.dead for processor in REGISTRY.values()))


def option_items(site: MoodleSite, settings: Mapping[str, str]) -> tuple[list[TakenItem], list[OptionChange]]:
    """Return what becomes of the settings that are options, and the options to be set. Queries: one

    What was set here stays. Nothing is switched on that did nothing in the plugin, though it does something here.
    """
    stored = {
        kept.processor: kept.values for kept in ProcessorSettings.objects.filter(site=site, processor__in=file_types())
    }
    items: list[TakenItem] = []
    changes: list[OptionChange] = []
    items += [
        TakenItem(Part.OPTION, Fate.LEFT, name, value=settings[name], code="takeover_dead")
        for name in sorted(dead() & settings.keys())
    ]
    for key, option, name, value in [*_wanted(settings), *_lenient()]:
        item = _item(stored.get(key, {}), key, option, name, value)
        items.append(item)
        if item.fate is Fate.SET:
            changes.append(OptionChange(key, option.name, option.clean(_translated(option, value))))
    return items, changes


def _wanted(settings: Mapping[str, str]) -> Iterator[tuple[str, Option[Any], str, str]]:
    """Yield file type, option, name and value of each setting that is an option of a file type."""
    for name, value in settings.items():
        if name in dead():
            continue
        for key in file_types():
            options = REGISTRY[key].options
            option = options.find(name) if name in _GENERAL else _find(options, name)
            if option is not None:
                yield key, option, name, value


def _lenient() -> Iterator[tuple[str, Option[Any], str, str]]:
    """Yield the option by which cells pass that the plugin let pass, for every file type."""
    for key in file_types():
        yield key, REGISTRY[key].options.find(_LENIENT), _LENIENT, "1"


def _find(options: type[GeneralOptions], name: str) -> Option[Any] | None:
    """Return the option that knows a name of the plugin. Those of one name here and there are the general ones."""
    return next((option for option in options.declared if name in option.aliases), None)


def _item(stored: Mapping[str, Any], key: str, option: Option[Any], name: str, value: str) -> TakenItem:
    shown = value.strip()
    if _DETECTED.get(name) == shown or (name in _DETECTED and not shown):
        return TakenItem(Part.OPTION, Fate.LEFT, name, key, shown, "takeover_detected")
    try:
        cleaned = option.clean(_translated(option, value))
    except OptionError as error:
        return TakenItem(Part.OPTION, Fate.LEFT, name, key, shown, error.code, error.params)
    text = str(int(cleaned)) if isinstance(cleaned, bool) else str(cleaned)
    if stored.get(option.name, option.default) == cleaned:
        return TakenItem(Part.OPTION, Fate.SAME, name, key, text)
    if option.name in stored:
        return TakenItem(Part.OPTION, Fate.KEPT, name, key, text, "takeover_set_here")
    return TakenItem(Part.OPTION, Fate.SET, name, key, text)


def _translated(option: Option[Any], value: str) -> str:
    """Return a value in our words, where the plugin has stored another one."""
    if option.name == _COURSE_IDENTIFIER:
        return _NUMBERED.get(value.strip(), value)
    if option.name == "userfield" and value.strip() == "1":
        # The plugin writes this by itself, and takes it for the username.
        return "username"
    if isinstance(option, Choice) and value == "\t":
        return "tab"
    return value
