"""Words that cells hold instead of numbers, yes and no and the names of months and days; how texts are folded and matched.

English, French, German, Spanish, Italian, Portuguese and Dutch, with what spreadsheets of these languages write for booleans.
"""

from __future__ import annotations

import unicodedata

TRUE_WORDS = frozenset((
    "1", "y", "yes", "true", "on", "oui", "vrai", "j", "ja", "wahr", "s", "si", "verdadero", "vero", "sim", "verdadeiro",
    "waar", "x", "✓", "✔",
))  # fmt: skip
FALSE_WORDS = frozenset((
    "0", "n", "no", "false", "off", "non", "faux", "nein", "falsch", "falso", "nao", "nee", "onwaar",
))  # fmt: skip

_MONTHS = (
    "january jan janvier janv januar jan jänner enero ene gennaio gen janeiro januari",
    "february feb février févr fév februar febrero febbraio fevereiro fev februari",
    "march mar mars märz mrz maerz marzo março maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juin juni junio giugno giu junho",
    "july jul juillet juil juli julio luglio lug julho",
    "august aug août agosto ago augustus",
    "september sep sept septembre septiembre setiembre settembre set setembro",
    "october oct octobre oktober okt octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec décembre déc dezember dez diciembre dic dicembre dezembro",
)
_WEEKDAYS = (
    "monday mon lundi lun montag mo lunes lunedì segunda-feira maandag ma",
    "tuesday tue tues mardi mar dienstag di martes martedì terça-feira dinsdag",
    "wednesday wed mercredi mer mittwoch mi miércoles mié mercoledì quarta-feira woensdag wo",
    "thursday thu thur thurs jeudi jeu donnerstag do jueves jue giovedì gio quinta-feira donderdag",
    "friday fri vendredi ven freitag fr viernes vie venerdì sexta-feira vrijdag vr",
    "saturday sat samedi sam samstag sa sonnabend sábado sáb sabato sab zaterdag za",
    "sunday sun dimanche dim sonntag so domingo dom domenica zondag zo",
)


def folded(text: str) -> str:
    """Return a text in lower case and without accents, as words are compared."""
    lower = text.casefold()
    if lower.isascii():
        return lower
    return "".join(sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign))


MONTHS = {folded(word): number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}
WEEKDAYS = frozenset(folded(word) for words in _WEEKDAYS for word in words.split())


def truth(text: str) -> bool | None:
    """Return what a word says, None when it is neither a yes nor a no."""
    word = folded(text)
    if word in TRUE_WORDS:
        return True
    return False if word in FALSE_WORDS else None


def is_match(text: str, pattern: str) -> bool:
    """Tell whether a text is what a pattern stands for, in which `*` is any number of characters.

    No regular expression: "*a*a*a*a" would take one minutes, and an earlier place of a part leaves the others all they can use.
    """
    if "*" not in pattern:
        return text == pattern
    first, *parts, last = pattern.split("*")
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for part in parts:
        position = text.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True
