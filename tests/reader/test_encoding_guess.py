"""sync.reader.encoding_guess: names of `name_lists.json`, from which nothing was counted for `letter_pairs.json`."""

# ruff: noqa: RUF001 (letters, quotes and dashes that look alike)

from __future__ import annotations

import io
import json
import random
from functools import cache
from pathlib import Path

import pytest

from sync.errors import UndecodableFile
from sync.reader.encoding import find_encoding

WESTERN = ("fr", "de", "es", "it", "pt", "nl", "sv", "da", "fi", "ga", "is", "ca")
OTHERS = {
    "pl": ("cp1250", "iso8859-2", "cp852"), "cs": ("cp1250", "iso8859-2"), "sk": ("cp1250",), "hu": ("cp1250",),
    "ro": ("cp1250",), "hr": ("cp1250",), "sl": ("cp1250",), "tr": ("cp1254",), "lt": ("cp1257",), "lv": ("cp1257",),
    "et": ("cp1257",), "el": ("cp1253", "iso8859-7", "cp737"), "uk": ("cp1251",), "bg": ("cp1251",),
    "ru": ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic"), "ar": ("cp1256", "iso8859-6"),
    "he": ("cp1255", "iso8859-8"), "fa": ("cp1256",), "th": ("cp874",), "ja": ("cp932", "euc-jp"), "zh": ("gb18030",),
    "zt": ("cp950",), "ko": ("cp949",),
}  # fmt: skip


@cache
def names() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = json.loads(Path(__file__).with_name("name_lists.json").read_text(encoding="utf-8"))
    return lists


def is_refused(words: list[str], codec: str) -> bool:
    rows = "".join(f"u{number};{word};Smith;u{number}@example.org\n" for number, word in enumerate(words))
    try:
        find_encoding(io.BytesIO(f"username;firstname;lastname;email\n{rows}".encode(codec)), "")
    except UndecodableFile:
        return True
    return False


def written(language: str, codec: str) -> list[str]:
    """Return the names that the encoding can write and that are read wrongly in Windows-1252."""
    found = []
    for word in names()[language]:
        data = word.encode(codec, "ignore")
        if data.decode(codec) == word and data.decode("cp1252", "replace") != word:
            found.append(word)
    return found


def western(language: str) -> list[str]:
    return [word for word in names()[language] if word.encode("cp1252", "ignore").decode("cp1252") == word]


@pytest.mark.parametrize("language", WESTERN)
def test_western_lists_are_read_without_a_question(language: str) -> None:
    words = western(language)
    chance = random.Random(1)
    for _try in range(10):
        some = chance.sample(words, min(8, len(words)))
        assert not is_refused(some, "cp1252"), some
        assert not is_refused([word.upper() for word in some if "ÿ" not in word], "cp1252"), some


def test_western_names_alone_are_hardly_ever_doubtful() -> None:
    words = [word for language in WESTERN for word in western(language)]
    refused = [word for word in words if is_refused([word], "cp1252")]
    assert len(refused) <= len(words) * 0.03, refused


def test_lists_of_people_from_many_western_countries_are_read() -> None:
    chance = random.Random(2)
    words = [word for language in WESTERN for word in western(language)]
    assert not any(is_refused(chance.sample(words, 40), "cp1252") for _try in range(10))


@pytest.mark.parametrize(("language", "codec"), [(key, codec) for key, codecs in OTHERS.items() for codec in codecs])
def test_other_lists_are_refused(language: str, codec: str) -> None:
    words = written(language, codec)
    chance = random.Random(3)
    lists = [chance.sample(words, min(10, len(words))) for _try in range(8)]
    read = [some for some in lists if not is_refused(some, codec)]
    # Hungarian and Estonian share nearly all their letters with Western languages.
    assert len(read) <= (2 if language in ("hu", "et") else 0), read


def test_single_names_of_other_languages_are_mostly_refused() -> None:
    words = [(word, codecs[0]) for key, codecs in OTHERS.items() for word in written(key, codecs[0])]
    read = [word for word, codec in words if not is_refused([word], codec)]
    assert len(read) <= len(words) * 0.12, read


@pytest.mark.parametrize(
    ("codec", "name", "encoding"),
    [
        ("cp1253", "Γεώργιος Παπαδόπουλος", "Windows-1253"),
        ("cp1251", "Ольга Иванова", "Windows-1251"),
        ("cp1256", "محمد الهاشمي", "Windows-1256"),
        ("cp1255", "דוד כהן", "Windows-1255"),
        ("cp1250", "Łukasz Wiśniewski", "Windows-1250"),
        ("cp1250", "Jiří Dvořák", "Windows-1250"),
        ("cp1254", "Ayşe Yıldız", "Windows-1254"),
        ("cp932", "山田 太郎", "CP932"),
        ("gb18030", "王小明", "GB18030"),
        ("cp949", "김철수", "CP949"),
        ("mac-roman", "Hélène Lefèvre", "macintosh"),
        ("cp850", "Hélène Lefèvre", "CP850"),
    ],
)
def test_one_name_is_shown_in_the_likeliest_readings(codec: str, name: str, encoding: str) -> None:
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(f"username;name\nu;{name}\n".encode(codec)), "")
    assert caught.value.code == "encoding_doubtful"
    assert f"{encoding}: {name}" in caught.value.params["readings"]
    assert caught.value.params["readings"].count(";") <= 2


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("mac-roman", "José;Lévy;Zoë"),
        ("mac-roman", "López"),
        ("cp850", "José"),
        ("cp1250", "Michał"),
        ("cp1250", "Ştefan;Ţepeş"),
    ],
)
def test_symbols_where_only_letters_stand_are_doubtful(codec: str, names: str) -> None:
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(f"username;name;more;most\nu;{names}\n".encode(codec)), "")
    assert caught.value.code == "encoding_doubtful"


@pytest.mark.parametrize("column", ["password", "Passwort", '"PWD"', "mot de passe"])
def test_passwords_are_not_shown(column: str) -> None:
    file = f"# note\nusername;{column};name\nu;Пароль;Ольга\n".encode("cp1251")
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(file), "")
    assert "Ольга" in caught.value.params["readings"]
    assert "Пароль" not in caught.value.params["readings"]


@pytest.mark.parametrize(
    "text",
    ["10 €; 5 °C; n° 3; « oui » ; l’été – fin…", "½ l; 3 m²; 1ª; ©2026 Müller®", "CAFÉ «CAFÉ» NIÑO nº 4", "Œuvre; cœur; L'Haÿ"],
)  # fmt: skip
def test_signs_beside_words_are_no_doubt(text: str) -> None:
    assert find_encoding(io.BytesIO(f"a;b;c;d\n{text}\n".encode("cp1252")), "").encoding == "Windows-1252"
