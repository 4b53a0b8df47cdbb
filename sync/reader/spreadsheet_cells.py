"""What spreadsheets and databases write into cells: decoded where it has one meaning, else a reason not to read the cell."""

# ruff: noqa: RUF001 (Greek and Cyrillic letters look like Latin ones)

from __future__ import annotations

import re

from sync.reader.damaged_letters import damaged_letters, has_signs_of_damage
from sync.values import Note

# The words by which spreadsheets (Excel, LibreOffice) say that a formula failed: English first, then German, French, Spanish,
# Italian, Portuguese, Dutch, Danish, Norwegian, Swedish, Finnish, Polish, Czech, Slovak, Hungarian, Romanian, Turkish, Greek,
# Russian, Ukrainian. The last lines are of Google Sheets, which has a word for formulas that it can't read, of Access, and of
# BusinessObjects.
_WORDS = """
#N/A #REF! #VALUE! #DIV/0! #NAME? #NUM! #NULL! #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #UNKNOWN! #BUSY! #PYTHON!
#EXTERNAL! #GETTING_DATA
#NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #KALK! #FELD! #BLOCKIERT! #VERBINDEN! #UNBEKANNT! #DATEN_ABRUFEN
#VALEUR! #NOM? #NOMBRE! #NUL! #PROPAGATION! #ETENDU! #EPARS! #CHAMP! #BLOQUE! #CONNEXION! #INCONNU!
#N/D #¡REF! #¡VALOR! #¡DIV/0! #¿NOMBRE? #¡NUM! #¡NULO! #¡DESBORDAMIENTO! #DESBORDAMIENTO! #¡CALC! #¡CAMPO!
#RIF! #VALORE! #NOME? #NULLO! #ESPANSIONE! #VALOR! #NÚM! #NULO! #DESPEJAR! #EXCEDENTE! #CAMPO!
#N/B #VERW! #WAARDE! #DEEL/0! #NAAM? #GETAL! #LEEG! #OVERLOOP!
#I/T #REFERENCE! #VÆRDI! #DIVISION/0! #NAVN? #NULL! #OVERLØB! #VERDI! #OVERFLYT!
#SAKNAS! #REFERENS! #VÄRDEFEL! #NAMN? #OGILTIGT! #SKÄRNING!
#PUUTTUU #PUUTTUU! #VIITTAUS! #ARVO! #JAKO/0! #NIMI? #LUKU! #TYHJÄ! #LEVIÄMINEN!
#N/D! #ADR! #ARG! #DZIEL/0! #NAZWA? #LICZBA! #ZERO! #ROZLANIE!
#NENÍ_K_DISPOZICI #ODKAZ! #HODNOTA! #DĚLENÍ_NULOU! #NÁZEV? #ČÍSLO! #PŘESAH! #NEDOSTUPNÝ #HODN! #DELENIENULOU! #NÁZOV?
#HIÁNYZIK #HIV! #ÉRTÉK! #ZÉRÓOSZTÓ! #NÉV? #SZÁM! #NULLA! #KITÖLT! #KIFEJTÉS! #NUME? #VALOARE!
#YOK #BAŞV! #DEĞER! #SAYI/0! #AD? #SAYI! #BOŞ! #TAŞMA! #Δ/Υ #ΑΝΑΦ! #ΤΙΜΗ! #ΔΙΑΙΡ./0! #ΟΝΟΜΑ? #ΑΡΙΘ! #ΚΕΝΟ!
#Н/Д #ССЫЛКА! #ЗНАЧ! #ДЕЛ/0! #ИМЯ? #ЧИСЛО! #ПУСТО! #ПЕРЕНОС! #ПОСИЛАННЯ! #ДІЛ/0! #ІМ'Я? #ЗНАЧЕННЯ!
#ERROR! #ERREUR! #FEHLER! #¡ERROR! #ERRORE! #ERRO! #FOUT! #FEJL! #FEIL! #FEL! #VIRHE! #BŁĄD! #CHYBA! #HIBA! #HATA! #ОШИБКА!
#ERROR #ERREUR #FEHLER #ERRORE #ERRO #FOUT #DELETED #GELÖSCHT #SUPPRIMÉ #ELIMINADO #ELIMINATO #EXCLUÍDO #VERWIJDERD
#DIV/0 #NAME #REF #VALUE #NUM #FUNC! #TYPE! #SIZE!
#MULTIVALUE #MULTIVALEUR #COMPUTATION #DATASYNC #UNAVAILABLE #INDISPONIBLE
"""
ERROR_WORDS = frozenset(_WORDS.split())
_LONGEST_WORD = max(map(len, ERROR_WORDS))
# LibreOffice numbers its errors; the word before the number is in the language of its user.
_NUMBERED_ERROR = re.compile(
    r"(?:Err|Error|Erreur|Errore|Erro|Fehler|Fout|Fel|Feil|Fejl|Virhe|Chyba|Hiba|Błąd|Ошибка) ?: ?5\d\d"
)
# Behind the exponent's E, programs of Java, Ruby, Julia and MySQL write no plus sign, but never less than the seventh power; a
# format of Excel (0.00E-00) writes none either. 1E5 is a name.
_ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d{1,18})?[Ee][+-]\d{1,3}|[+-]?\d[.,]\d{1,18}[Ee](?:[7-9]|0\d{1,2}|[1-9]\d{1,2})")
# Java writes all the digits of a number but zeros at its end.
# Source: https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Double.html#toString(double)
_SCIENTIFIC = re.compile(r"([1-9])\.(\d{7,18})[Ee]([7-9]|1\d)")
_ZEROS_AT_END = re.compile(r"\d{15}0{3,9}")
# A call of a function, or anything that begins with a reference to a cell (=A2&B2, =+$C$4, =Sheet1!A2, ='My sheet'!A2).
_FORMULA = re.compile(
    r"=[+-]?(?:\d[\d.,]*(?:[-+*/^&][^\n]*)?|\"[^\n]*\"&[^\n]*|[^\W\d_][\w.]*\([^\n]*\)[^\n]*|(?:(?:'[^'\n]+'|\w+)!)?\$?[A-Z]{1,3}\$?[1-9]\d{0,6}(?:[-+*/^&<>=:][^\n]*)?)"
)
_TEXT_FORMULA = re.compile(r'="(?:[^"]|"")*"')
_TOO_NARROW = re.compile(r"#{3,}")
# Of SQL Server and MySQL, Oracle, and DBeaver. A person is called Null, not NULL.
_DATABASE_WORDS = frozenset(("NULL", "(null)", "(NULL)", "<null>", "<NULL>", "[NULL]"))

_DIGITS_KEPT = 15

_FAULTS = (
    (_ROUNDED, "cell_is_rounded"),
    (_ZEROS_AT_END, "cell_lost_digits"),
    (_TOO_NARROW, "cell_too_narrow"),
)

# What every row that holds such a cell has somewhere. To look for single signs costs less than an expression.
_SIGNS = ("NULL", "null)", "null>")
# These are such a sign at the beginning of a cell only, but for a quote behind a backslash.
_SIGN_OF_BEGINNING = re.compile(r'(?<![^\s;,|:"\x1f])[#=\\]|\\"').search
_EXPONENT = re.compile(r"[Ee][+-]\d").search
_SIGNS_OF_EXPONENT = ("e-", "e+", "E-", "E+")
# Two expressions, each of which begins with one character that is found fast.
_POWER_ENDS = r"\d{1,18}[Ee]\d{1,3}(?=[\s;,|:\"\x1f]|\Z)"
_POWER = re.compile(rf"\.{_POWER_ENDS}").search
_POWER_WITH_COMMA = re.compile(rf",{_POWER_ENDS}").search
_ERROR_NUMBER = re.compile(r": ?5\d\d").search


def may_be_special(text: str) -> bool:
    """Return whether a row, or one of several, may have a cell that is decoded, or that is a fault."""
    for sign in _SIGNS:
        if sign in text:
            return True
    if ("=" in text or "#" in text or "\\" in text) and _SIGN_OF_BEGINNING(text):
        return True
    if (":5" in text or ": 5" in text) and _ERROR_NUMBER(text):
        return True
    if any(sign in text for sign in _SIGNS_OF_EXPONENT) and _EXPONENT(text):
        return True
    if _POWER(text) or _POWER_WITH_COMMA(text):
        return True
    return _has_zeros_at_end(text) or has_signs_of_damage(text)


def _has_zeros_at_end(text: str) -> bool:
    """Return whether three zeros stand anywhere behind as many digits as a spreadsheet keeps."""
    place = text.find("000")
    while place >= 0:
        before = text[max(place - _DIGITS_KEPT, 0) : place]
        if len(before) == _DIGITS_KEPT and before.isdigit():
            return True
        place = text.find("000", place + 1)
    return False


def decode_cell(text: str) -> str:
    r"""Return what these mean: `="0012"`, by which a spreadsheet is told to keep zeros, `\N`, by which a database says NULL, and
    `2.0260901E7`, as Java writes 20260901, where all digits are there.
    """
    if (found := _SCIENTIFIC.fullmatch(text)) and len(found[2]) == int(found[3]) < _DIGITS_KEPT:
        return found[1] + found[2]
    if text.startswith('="') and _TEXT_FORMULA.fullmatch(text):
        return text[2:-1].replace('""', '"').strip()
    return "" if text == r"\N" else text


def cell_fault(text: str) -> Note | None:
    """Return why a cell can't be what somebody meant to write, if so."""
    if is_error_word(text):
        return Note("cell_is_formula_error", {"value": text})
    if text in _DATABASE_WORDS:
        return Note("cell_is_null", {"value": text})
    if _has_escaped_quotes(text):
        return Note("cell_quotes_escaped", {})
    if text.startswith("=") and _FORMULA.fullmatch(text):
        return Note("cell_is_formula", {})
    for pattern, code in _FAULTS:
        if pattern.fullmatch(text):
            return Note(code, {"value": text})
    return damaged_letters(text)


def _has_escaped_quotes(text: str) -> bool:
    """Return whether a cell stands in quotes and holds one that is written as another program's escape, \\"."""
    is_quoted = len(text) > 3 and text[0] == text[-1] == '"' and "\n" not in text
    return is_quoted and '\\"' in text[1:-1]


def is_error_word(text: str) -> bool:
    """Return whether a spreadsheet, or Access, says by this text that there is no value: a formula failed, say."""
    if text.startswith("#"):
        return len(text) <= _LONGEST_WORD and text.upper() in ERROR_WORDS
    return len(text) <= _LONGEST_WORD and _NUMBERED_ERROR.fullmatch(text) is not None
