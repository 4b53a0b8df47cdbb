"""What an administrator may tune, declared like columns: `Flag`, `Choice`, `Text`.

The form, the shell, the API and the documentation are derived from these declarations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise

from sync.columns.words import truth
from sync.errors import DeclarationError, OptionError

Label = str | Promise


@dataclass(frozen=True)
class Option:
    """One thing that can be tuned. Shape: aliases: names that the old plugin gave it; group: where pages show it."""

    name: str
    default: Any = ""
    label: Label = ""
    help: Label = ""
    aliases: tuple[str, ...] = ()
    group: str = "file_type"

    def clean(self, value: Any) -> Any:
        """Return the value in its own type. Raises: OptionError."""
        raise NotImplementedError


@dataclass(frozen=True)
class Flag(Option):
    """On or off; 0/1 in the shell and the API."""

    default: bool = False

    def clean(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        text = str(value).strip()
        said = truth(text) if text else False
        if said is None:
            raise OptionError("option_not_flag", option=self.name, value=str(value))
        return said


@dataclass(frozen=True)
class Choice(Option):
    """One of a few values. Shape: choices: value -> label shown."""

    choices: Mapping[str, Label] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.default not in self.choices:
            raise DeclarationError(f"option {self.name}: default {self.default!r} is not among its choices")

    def clean(self, value: Any) -> str:
        text = str(value).strip()
        if text in self.choices:
            return text
        raise OptionError(
            "option_not_choice", option=self.name, value=text, choices=", ".join(filter(None, self.choices))
        )


@dataclass(frozen=True)
class Text(Option):
    """A short text."""

    max_length: int = 200

    def clean(self, value: Any) -> str:
        text = str(value).strip()
        if len(text) > self.max_length:
            raise OptionError("option_too_long", option=self.name, limit=self.max_length)
        return text


class Options:
    """The ordered options of a processor.

    Shape: iterates over Option; names are unique, aliases included; dead: settings of the old plugin that no code of it read
    """

    def __init__(self, *options: Option, dead: Collection[str] = ()) -> None:
        self._options = options
        self.dead = frozenset(dead)
        self._by_name: dict[str, Option] = {}
        for option in options:
            for name in (option.name, *option.aliases):
                if name in self._by_name:
                    raise DeclarationError(f"option {name} is declared twice")
                self._by_name[name] = option

    def __iter__(self) -> Iterator[Option]:
        return iter(self._options)

    def __add__(self, others: Iterable[Option]) -> Options:
        return Options(*self._options, *others, dead=self.dead)

    def find(self, name: str) -> Option:
        """Return an option by its name or by the name that the old plugin gave it. Raises: OptionError."""
        option = self._by_name.get(name)
        if option is None:
            raise OptionError("option_unknown", option=name, options=", ".join(option.name for option in self))
        return option

    def resolve(self, *layers: Mapping[str, Any]) -> OptionValues:
        """Lay the layers over the defaults, later ones on top; dead settings stay as they are. Raises: OptionError."""
        values = {option.name: option.default for option in self}
        for layer in layers:
            for name, value in layer.items():
                if name in self.dead:
                    values[name] = value
                    continue
                option = self.find(name)
                values[option.name] = option.clean(value)
        return OptionValues(values)


class OptionValues(Mapping[str, Any]):
    """The frozen options of one run: `options["allowrename"]` or `options.allowrename`."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
