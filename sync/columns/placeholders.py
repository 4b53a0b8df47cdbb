"""What programs write into a cell in place of a value: words for nothing and for yes and no, and numbers with decimals that
identifiers don't have.

Whatever is made from such a cell would have the word as its name, and all rows that have one would mean the same thing.
"""

# ruff: noqa: RUF001 (dashes that look alike)

from __future__ import annotations

import re
from collections.abc import Sequence

from sync.columns.words import MONTHS, folded

# Of Python, pandas, R, JavaScript, databases and people. Spelled exactly so: a person may be called Nan, or Null.
_NOTHING = frozenset((
    "None", "none", "NONE", "nan", "NaN", "NAN", "NaT", "<NA>", "null", "undefined", "Undefined", "UNDEFINED", "nil",
    "n/a", "N/A", "N/a", "n.a.", "N.A.", "k.A.", "k. A.", "s/o", "S/O", "n/c", "N/C",
    "(none)", "(empty)", "(blank)", "(leer)", "(vide)", "(vacío)", "[none]", "[empty]", "{null}", "[]", "{}",
    "''", '""', "00000000-0000-0000-0000-000000000000", "Invalid date", "Invalid Date", "[Record]", "[List]", "[Table]",
    "[Error]", "undefined undefined", "null null", "None None", "nan nan", "NaN NaN",
    "Infinity", "-Infinity", "Not assigned", "Nicht zugeordnet", "Non affecté",
    # Of Google Sheets, while a formula is reckoned out.
    *(
        f"{word}{dots}"
        for word in ("Loading", "Chargement", "Chargement en cours", "Wird geladen", "Lädt", "Laden", "Cargando", "Caricamento",
                     "Caricamento in corso", "Carregando", "A carregar", "Bezig met laden", "Wczytywanie", "Загрузка")
        for dots in ("...", "…")
    ),
))  # fmt: skip
# What PowerShell, JavaScript, Java, Python, Perl and PHP show of lists, secrets and other objects: the name of their type, or how
# a program would write them; and what SharePoint keeps of an entry of another list, and of a person.
_TYPE_NAME = re.compile(
    r"System\.(?:__ComObject|Object|String|Char|S?Byte|U?Int\d\d|Boolean|DateTime|DBNull|Guid|Security\.\w+|Data\.\w+|Xml\.\w+"
    r"|Management\.Automation(?:\.\w+)+|Collections(?:\.\w+)+(?:`\d)?(?:\[[^\n]*\])?)(?:\[\])?"
    r"|Microsoft\.(?:ActiveDirectory|Graph|Exchange|Azure|Online|Open|PowerShell|SharePoint)(?:\.\w+)+(?:\[\])?"
    r"|\[object [A-Z]\w*\](?:, ?\[object [A-Z]\w*\])*|\[L[\w.$]+;@[0-9a-f]+"
    r"|javax?\.[\w.$]+@[0-9a-f]+|Optional(?:\[[^\n]*\]|\.empty)|b(?:'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?:Decimal|UUID|Timestamp)\('[^'\n]*'\)|datetime\.\w+\([\d, ]*\)"
    r"|@\{\w+=[^\n]*\}|\[[BCIJ]@[0-9a-f]+|np\.\w+\([^\n]*\)|(?:character|integer|numeric|logical)\(0\)"
    r"|(?:HASH|ARRAY|SCALAR|CODE)\(0x[0-9a-f]+\)|Resource id #\d+"
    r"|\d+;#[^\n]+|[ic]:0[^\n|]{1,4}\|[^\n]+"
)
_SIGNS_OF_TYPES = (
    "System.", "Microsoft.", "[object ", "[L", "java.", "javax.", "Optional[", "Optional.", "b'", 'b"', "Decimal('", "UUID('",
    "Timestamp('", "datetime.", "(0x", "Resource id #", "@{", "[B@", "[C@", "[I@", "[J@", "np.", "(0)",
    ";#", "i:0", "c:0",
)  # fmt: skip
_DASHES = frozenset(("-", "--", "---", "----", "-/-", "./.", "#", "–", "—", "−", "?", "??", "."))
# What a formula comes to that compares, in English, German, French, Spanish, Portuguese and Dutch.
_TRUTH = frozenset((
    "TRUE", "FALSE", "WAHR", "FALSCH", "VRAI", "VERDADERO", "VERDADEIRO", "WAAR", "ONWAAR",
))  # fmt: skip
# These are surnames as well.
_TRUTH_OR_NAMES = frozenset(("FAUX", "FALSO", "VERO"))
_WORDS = _NOTHING | _DASHES | _TRUTH
# How R writes that there is no value; a country, a surname and North America as well.
_PERHAPS_NOTHING = frozenset(("NA",))
_LOOKED_FOR = _WORDS | _TRUTH_OR_NAMES | _PERHAPS_NOTHING
# Persons are called so, and people write a dash where somebody has one name only.
_OF_PERSONS = frozenset(("nan", "NAN", "none", "NONE", "nil"))
# Elsewhere these are likely to be meant: said, and kept.
_MEANT_ELSEWHERE = frozenset(("none", "NONE", "nil"))

# What programs show of passwords that they don't tell.
_MASKS = ("***", "•••", "●●●")

# An identifier that a program took for a number. Versions and sections (1.0) have fewer digits.
_DECIMAL = re.compile(r"(\d{4,})(?:[.,]0{1,10}|\.)")
# With the separators that programs show between thousands; of one kind, and the decimals behind another.
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’ \u00a0\u2009\u202f])\d{3})(?:\1\d{3})*")
_GROUPED_DECIMAL = re.compile(r"(\d{1,3}(?:([.,'’ \u00a0\u2009\u202f])\d{3})(?:\2\d{3})*)(?!\2)[.,]0{1,10}")
_SIGNS_OF_DECIMAL = (".0", ",0", ".\n")
_GROUPED_CELL = re.compile(r"(?:\n|\A)\d{1,3}[.,'’ \u00a0\u2009\u202f]\d{3}(?!\d)").search

# What a spreadsheet makes of 1-3, MAR2 and 3/2002, in several languages; and a day as programs write it with its first second.
_MONTH_OF_DAY = re.compile(
    r"\d{1,2}(?:-|\. )([^\W\d_]{3,9})\.?|([^\W\d_]{3,9})(?:\.?-|\. )\d{2}|[12]\d{3}-(?:0[1-9]|1[0-2])-[0-3]\d"
)
_END_OF_DAY = re.compile(r"[- ](?:[^\W\d_]{3,9}\.?|\d\d)(?=\n|\Z)").search
# A whole day as programs show it, and what they make of 1:30: a time.
_DAY_SHOWN = re.compile(
    r"\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}:\d\d:\d\d(?: ?[AaPp][Mm])?|\d{1,2}:\d\d ?[AaPp][Mm]"
)
_SIGN_OF_DAY = re.compile(r"(?:\n|\A)\d{1,2}[./:]\d{1,2}[./: ]?[\dAaPp]").search
_MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d[ T]00:00(?::00(?:\.0{1,6})?)?(?:Z|\+00:00)?")
_SIGN_OF_MIDNIGHT = "00:00"


def holds_placeholder(cells: Sequence[str], text: str) -> bool:
    """Return whether a cell of a row may be one. Shape: text: of all cells"""
    if not _LOOKED_FOR.isdisjoint(cells) or any(mask in text for mask in _MASKS):
        return True
    if any(sign in text for sign in _SIGNS_OF_TYPES) and any(map(_TYPE_NAME.fullmatch, cells)):
        return True
    if (any(sign in text for sign in _SIGNS_OF_DECIMAL) or text.endswith(".")) and any(map(decimals_taken_off, cells)):
        return True
    if ("-" in text or ". " in text) and _END_OF_DAY(text) and any(map(_MONTH_OF_DAY.fullmatch, cells)):
        return True
    if _SIGN_OF_DAY(text) is not None and any(map(_DAY_SHOWN.fullmatch, cells)):
        return True
    return _SIGN_OF_MIDNIGHT in text or _GROUPED_CELL(text) is not None


def is_placeholder(text: str, *, of_person: bool) -> bool:
    """Return whether no thing, and no person, is called like this."""
    if of_person:
        return (text in _NOTHING and text not in _OF_PERSONS) or _is_type_name(text)
    return text in _WORDS or _is_type_name(text)


def _is_type_name(text: str) -> bool:
    return any(sign in text for sign in _SIGNS_OF_TYPES) and _TYPE_NAME.fullmatch(text) is not None


def is_truth(text: str, *, of_person: bool = False) -> bool:
    """Return whether a spreadsheet writes yes or no so, in capitals. Shape: of_person: and nobody is called like this"""
    return text in _TRUTH or (not of_person and text in _TRUTH_OR_NAMES)


def is_perhaps_nothing(text: str) -> bool:
    """Return whether what names something or somebody may stand for no value."""
    return text in _PERHAPS_NOTHING


def is_mask(text: str) -> bool:
    """Return whether a password is one that isn't told."""
    return len(text) > 2 and len(set(text)) == 1 and text[:3] in _MASKS


def is_perhaps_placeholder(text: str, *, is_free: bool) -> bool:
    """Return whether a text that names nothing probably stands for no value, or was an identifier.

    Shape: is_free: it may also be a number, as custom fields hold them
    """
    if (text in _NOTHING and text not in _MEANT_ELSEWHERE) or _is_type_name(text):
        return True
    return not is_free and _DECIMAL.fullmatch(text) is not None


def is_midnight(text: str) -> bool:
    """Return whether this is a day, as programs write it that have taken an identifier for one."""
    return _MIDNIGHT.fullmatch(text) is not None


def is_perhaps_day(text: str) -> bool:
    """Return whether a spreadsheet may have made a day, or a month, of an identifier."""
    found = _MONTH_OF_DAY.fullmatch(text)
    if found is None:
        return _DAY_SHOWN.fullmatch(text) is not None
    month = found[1] or found[2]
    return not month or folded(month) in MONTHS


def decimals_taken_off(text: str) -> str:
    """Return the identifier of which 12345.0 or 12.345,00 was made, "" where a text is no such number."""
    if found := _DECIMAL.fullmatch(text):
        return found[1]
    found = _GROUPED_DECIMAL.fullmatch(text)
    return _digits(found[1]) if found else ""


def separators_taken_out(text: str) -> str:
    """Return the digits of a number that is written with separators between thousands, "" where a text is none."""
    return _digits(text) if _GROUPED.fullmatch(text) else ""


def _digits(text: str) -> str:
    return "".join(filter(str.isdecimal, text))
