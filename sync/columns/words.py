"""Words that cells hold instead of numbers, yes and no and the names of months and days; how texts are folded and matched.

English, French, German, Spanish, Italian, Portuguese and Dutch, with what spreadsheets of these languages write for booleans,
PostgreSQL (t, f), and programs that make decimals of numbers (1.0).
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict

TRUE_WORDS = frozenset((
    "1", "y", "yes", "true", "on", "oui", "vrai", "j", "ja", "wahr", "s", "si", "verdadero", "vero", "sim", "verdadeiro",
    "waar", "x", "✓", "✔", "t", "1.0",
))  # fmt: skip
FALSE_WORDS = frozenset((
    "0", "n", "no", "false", "off", "non", "faux", "nein", "falsch", "falso", "nao", "nee", "onwaar", "f", "0.0",
))  # fmt: skip

_MONTHS = (
    "january jan janvier janv januar jan jänner jän enero ene gennaio gen janeiro januari",
    "february feb février févr fév februar febrero febbraio fevereiro fev februari",
    "march mar mars märz mrz maerz marzo março maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juin juni junio giugno giu junho",
    "july jul juillet juil juli julio luglio lug julho",
    "august aug août agosto ago augustus",
    "september sep sept septembre septiembre setiembre settembre sett set setembro",
    "october oct octobre oktober okt octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec décembre déc dezember dez diciembre dic dicembre dezembro",
)
# Those of two letters may be of several languages: "di" is Tuesday in German and Sunday in French.
_WEEKDAYS = (
    "monday mon mo lundi lun lu montag lunes lunedì segunda-feira segunda seg maandag ma",
    "tuesday tue tues tu mardi mar ma dienstag di martes martedì terça-feira terça ter dinsdag",
    "wednesday wed weds we mercredi mer me mittwoch mi miércoles mié mercoledì quarta-feira quarta qua woensdag wo",
    "thursday thu thur thurs th jeudi jeu je donnerstag do jueves jue ju giovedì gio gi quinta-feira quinta qui donderdag",
    "friday fri fr vendredi ven ve freitag viernes vie vi venerdì sexta-feira sexta sex vrijdag vr",
    "saturday sat sa samedi sam samstag sonnabend sábado sáb sabato zaterdag za",
    "sunday sun su dimanche dim di sonntag so domingo dom do domenica zondag zo",
)


def folded(text: str) -> str:
    """Return a text in lower case and without accents, as words are compared."""
    lower = text.casefold()
    if lower.isascii():
        return lower
    return "".join(sign for sign in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(sign))


MONTHS = {folded(word): number for number, words in enumerate(_MONTHS, start=1) for word in words.split()}


def _weekdays() -> dict[str, frozenset[int]]:
    """Return the names of days -> the days that they may be, as Python counts them: Monday is 0."""
    found = defaultdict[str, set[int]](set)
    for number, words in enumerate(_WEEKDAYS):
        for word in words.split():
            found[folded(word)].add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


WEEKDAYS = _weekdays()


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
