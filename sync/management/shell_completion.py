"""Scripts that make shells complete commands, their options and the words that these take."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from django.core.management.base import DjangoHelpFormatter

from sync.processors.registry import KEYS

# Options that all commands of Django have and that nobody completes.
_OF_DJANGO = DjangoHelpFormatter.show_last | {"--help", "-h"}
_FILE_TYPE = "KEY"
_LONGEST_HELP = 80


class CompletedOption(NamedTuple):
    """An option. Shape: words: what it takes, () = anything, or nothing; takes: whether something follows it"""

    name: str
    help: str
    words: tuple[str, ...]
    takes: bool


class CompletedCommand(NamedTuple):
    """A command. Shape: words: what may stand without an option"""

    name: str
    help: str
    options: tuple[CompletedOption, ...]
    words: tuple[str, ...]


def completed_command(name: str, parser: argparse.ArgumentParser) -> CompletedCommand:
    """Return what a shell has to know of a command."""
    options: list[CompletedOption] = []
    words: list[str] = []
    for action in parser._actions:  # noqa: SLF001 - argparse tells its arguments in no other way
        choices = KEYS if action.metavar == _FILE_TYPE else tuple(map(str, action.choices or ()))
        if not action.option_strings:
            words += choices
        elif _OF_DJANGO.isdisjoint(action.option_strings):
            options.append(CompletedOption(action.option_strings[-1], _line(action.help), choices, action.nargs != 0))
    return CompletedCommand(name, _line(parser.description), tuple(options), tuple(words))


def bash_script(commands: Sequence[CompletedCommand]) -> str:
    """Return the script for bash. Where nothing of ours fits it completes names of files."""
    cases = []
    for command in commands:
        cases += [
            f"      {command.name}:{option.name}) words={_quoted(' '.join(option.words))} ;;"
            for option in command.options
            if option.takes
        ]
        words = " ".join((*(option.name for option in command.options), *command.words))
        cases.append(f"      {command.name}:*) words={_quoted(words)} ;;")
    names = _quoted(" ".join(command.name for command in commands))
    return "\n".join((
        "_toolsync() {",
        '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words',
        '  if [ "$COMP_CWORD" -eq 1 ]; then',
        f"    words={names}",
        "  else",
        '    case "${COMP_WORDS[1]}:$before" in',
        *cases,
        "    esac",
        "  fi",
        '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "}",
        "complete -o default -F _toolsync manage.py",
    ))  # fmt: skip


def zsh_script(commands: Sequence[CompletedCommand]) -> str:
    """Return the script for zsh."""
    lines = ["#compdef manage.py", "local -a names", "names=("]
    lines += [f"  {_quoted(command.name + ':' + command.help)}" for command in commands]
    lines += [")", "if (( CURRENT == 2 )); then", "  _describe command names", "  return", "fi", "case $words[2] in"]
    for command in commands:
        arguments = [_zsh_option(option) for option in command.options]
        rest = f"*:word:({' '.join(command.words)})" if command.words else "*:file:_files"
        lines += [
            f"  {command.name})",
            "    shift words; (( CURRENT-- ))",
            f"    _arguments {' '.join((*arguments, _quoted(rest)))}",
            "    ;;",
        ]
    return "\n".join((*lines, "esac"))


def fish_script(commands: Sequence[CompletedCommand]) -> str:
    """Return the script for fish."""
    lines = []
    for command in commands:
        lines.append(f"complete -c manage.py -n __fish_use_subcommand -f -a {command.name} -d {_quoted(command.help)}")
        seen = f"complete -c manage.py -n {_quoted('__fish_seen_subcommand_from ' + command.name)}"
        for option in command.options:
            takes = f" -x -a {_quoted(' '.join(option.words))}" if option.words else " -r" if option.takes else ""
            lines.append(f"{seen} -l {option.name.removeprefix('--')}{takes} -d {_quoted(option.help)}")
        if command.words:
            lines.append(f"{seen} -a {_quoted(' '.join(command.words))}")
    return "\n".join(lines)


SHELLS: Mapping[str, Callable[[Sequence[CompletedCommand]], str]] = {
    "bash": bash_script,
    "zsh": zsh_script,
    "fish": fish_script,
}


def _zsh_option(option: CompletedOption) -> str:
    about = option.help.translate(str.maketrans("[]:", "(),"))
    value = f":value:({' '.join(option.words)})" if option.words else ":value:_files" if option.takes else ""
    return _quoted(f"{option.name}[{about}]{value}")


def _line(text: str | None) -> str:
    """Return the beginning of a help text as one line."""
    line = " ".join((text or "").replace("(default: %(default)s)", "").split())
    return line if len(line) <= _LONGEST_HELP else line[: _LONGEST_HELP - 1].rstrip() + "…"


def _quoted(text: str) -> str:
    """Return a text as one word of any of these shells."""
    return "'" + text.replace("\\", "/").replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") + "'"
