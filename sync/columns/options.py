"""What an administrator may tune of a file type, declared like the fields of a form: `Flag`, `Choice`, `Number`, `Text`.

    class UsersOptions(GeneralOptions):
        allowrename = Flag(label=_("Allow renaming"))

Of the class, `UsersOptions.allowrename` is the declaration, from which the form, the shell, the API and the documentation are
derived. Of an instance, which holds what was chosen for a run, `options.allowrename` is the value, in its own type.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar, overload

from django.utils.functional import Promise

from sync.columns.words import truth
from sync.errors import DeclarationError, OptionError

Label = str | Promise
Value = TypeVar("Value")


@dataclass(kw_only=True, eq=False)
class Option(ABC, Generic[Value]):
    """One thing that can be tuned.

    Shape: aliases: names that the old plugin gave it; group: where pages show it; for_columns: columns without which it does
    nothing, () = it is about more than the columns of a file, None = it always matters
    """

    name: str = field(init=False, default="")
    default: Value
    label: Label = ""
    help: Label = ""
    aliases: tuple[str, ...] = ()
    group: str = "file_type"
    for_columns: tuple[str, ...] | None = None

    def __set_name__(self, owner: type[Options], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type[Options]) -> Self: ...
    @overload
    def __get__(self, instance: Options, owner: type[Options]) -> Value: ...
    def __get__(self, instance: Options | None, owner: type[Options]) -> Self | Value:
        return self if instance is None else instance[self.name]

    def check(self) -> None:
        """Raise DeclarationError where the declaration contradicts itself."""

    @abstractmethod
    def clean(self, value: Any) -> Value:
        """Return the value in its own type. Raises: OptionError."""


@dataclass(kw_only=True, eq=False)
class Flag(Option[bool]):
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


@dataclass(kw_only=True, eq=False)
class Choice(Option[str]):
    """One of a few values. Shape: choices: value -> label shown."""

    default: str = ""
    choices: Mapping[str, Label] = field(default_factory=dict)

    def check(self) -> None:
        if self.default not in self.choices:
            raise DeclarationError(f"option {self.name}: default {self.default!r} is not among its choices")

    def clean(self, value: Any) -> str:
        text = str(value).strip()
        if text in self.choices:
            return text
        raise OptionError(
            "option_not_choice", option=self.name, value=text, choices=", ".join(filter(None, self.choices))
        )


@dataclass(kw_only=True, eq=False)
class Text(Option[str]):
    """A short text."""

    default: str = ""
    max_length: int = 200

    def clean(self, value: Any) -> str:
        text = str(value).strip()
        if len(text) > self.max_length:
            raise OptionError("option_too_long", option=self.name, limit=self.max_length)
        return text


@dataclass(kw_only=True, eq=False)
class Number(Option[int]):
    """A whole number, 0 when it is left empty. Shape: most: the largest that is taken"""

    default: int = 0
    most: int

    def check(self) -> None:
        if not 0 <= self.default <= self.most:
            raise DeclarationError(f"option {self.name}: default {self.default} is not between 0 and {self.most}")

    def clean(self, value: Any) -> int:
        text = "0" if value is None else str(value).strip() or "0"
        # Beyond so many digits int() itself refuses.
        number = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(self.most)) else -1
        if not 0 <= number <= self.most:
            raise OptionError("option_not_number", option=self.name, value=text, most=self.most)
        return number


class Options(Mapping[str, Any]):
    """What was chosen for a run, frozen; each option is an attribute, and the whole is a mapping for what goes over all.

    Shape: declared: the options in the order in which pages show them, those of a class before those of its bases; names are
    unique, aliases included; dead: settings of the old plugin that no code of it read
    """

    declared: ClassVar[tuple[Option[Any], ...]] = ()
    dead: ClassVar[frozenset[str]] = frozenset()
    _by_name: ClassVar[Mapping[str, Option[Any]]] = {}

    def __init_subclass__(cls) -> None:
        """Gather the declarations. Raises: DeclarationError"""
        super().__init_subclass__()
        declared: dict[str, Option[Any]] = {}
        for base in cls.__mro__:
            for name, option in vars(base).items():
                if isinstance(option, Option):
                    declared.setdefault(name, option)
        by_name: dict[str, Option[Any]] = {}
        for option in declared.values():
            option.check()
            for name in (option.name, *option.aliases):
                if name in by_name:
                    raise DeclarationError(f"option {name} is declared twice")
                by_name[name] = option
        cls.declared, cls._by_name = tuple(declared.values()), by_name

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        """Shape: values: clean ones, by the names of the options; the others have their defaults."""
        # Attributes of their own are found before the declarations, so that reading one costs nothing.
        vars(self).update({option.name: option.default for option in self.declared}, **values or {})

    @classmethod
    def find(cls, name: str) -> Option[Any]:
        """Return an option by its name or by the name that the old plugin gave it. Raises: OptionError."""
        option = cls._by_name.get(name)
        if option is None:
            raise OptionError("option_unknown", option=name, options=", ".join(option.name for option in cls.declared))
        return option

    @classmethod
    def resolve(cls, *layers: Mapping[str, Any]) -> Self:
        """Lay the layers over the defaults, later ones on top; dead settings stay as they are. Raises: OptionError."""
        values: dict[str, Any] = {}
        for layer in layers:
            for name, value in layer.items():
                if name in cls.dead:
                    values[name] = value
                    continue
                option = cls.find(name)
                values[option.name] = option.clean(value)
        return cls(values)

    def fault(self) -> OptionError | None:
        """Return why the values don't fit together, None when they do. Shape: its parameter `option`: the one to be mended"""
        return None

    def replaced(self, values: Mapping[Option[Any], Any]) -> Self:
        """Return the same with other values. Shape: declaration -> value"""
        return type(self)({**self, **{option.name: value for option, value in values.items()}})

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{name} of a run doesn't change")

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __len__(self) -> int:
        return len(vars(self))
