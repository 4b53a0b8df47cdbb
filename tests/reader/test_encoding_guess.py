"""sync.reader.encoding_guess: names of `name_lists.json`, from which nothing was counted for `letter_pairs.json`."""

# ruff: noqa: RUF001 (letters, quotes and dashes that look alike)

from __future__ import annotations

import io
import json
import random
import unicodedata
from functools import cache
from pathlib import Path

import pytest

from sync.errors import UndecodableFile
from sync.reader.encoding import find_encoding

WESTERN = ("fr", "de", "es", "it", "pt", "nl", "sv", "da", "fi", "ga", "is", "ca")
OTHERS = {
    "pl": ("cp1250", "iso8859-2", "cp852", "mac-latin2"), "cs": ("cp1250", "iso8859-2", "cp852"), "sk": ("cp1250",),
    "hu": ("cp1250", "cp852"), "ro": ("cp1250", "iso8859-16", "mac-romanian"), "hr": ("cp1250", "mac-croatian"),
    "sl": ("cp1250", "iso8859-2"), "tr": ("cp1254", "cp857", "mac-turkish"), "lt": ("cp1257", "cp775", "iso8859-4"),
    "lv": ("cp1257", "iso8859-13", "cp775"), "et": ("cp1257",), "vi": ("cp1258",),
    "el": ("cp1253", "iso8859-7", "cp737", "mac-greek"), "uk": ("cp1251", "koi8-u"), "bg": ("cp1251", "cp855"),
    "ru": ("cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic"), "ar": ("cp1256", "iso8859-6", "cp720"),
    "he": ("cp1255", "iso8859-8", "cp862"), "fa": ("cp1256",), "hy": ("armscii-8",), "th": ("cp874",),
    "ja": ("cp932", "euc-jp", "iso2022_jp"), "zh": ("gb18030", "hz"), "zt": ("cp950",), "ko": ("cp949", "iso2022_kr"),
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
    for name in names()[language]:
        # The accents of Vietnamese are characters of their own there.
        word = _separate_accents(name) if codec == "cp1258" else name
        data = word.encode(codec, "ignore")
        if data.decode(codec) == word and data.decode("cp1252", "replace") != word:
            found.append(word)
    return found


def _separate_accents(word: str) -> str:
    """Return a word with the five accents behind their letters, as Windows-1258 writes them."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    parts = [unicodedata.normalize("NFD", char) for char in word]
    return "".join(
        unicodedata.normalize("NFC", "".join(char for char in part if char not in tones))
        + "".join(char for char in part if char in tones)
        for part in parts
    )


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
    assert len(refused) <= len(words) * 0.025, refused


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
    assert not read


def test_single_names_of_other_languages_are_mostly_refused() -> None:
    words = [(word, codecs[0]) for key, codecs in OTHERS.items() for word in written(key, codecs[0])]
    read = [word for word, codec in words if not is_refused([word], codec)]
    assert len(read) <= len(words) * 0.045, read


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
        ("cp1257", "Žydrūnas Kazlauskienė", "Windows-1257"),
        ("cp1257", "Jānis Bērziņš", "Windows-1257"),
        ("iso2022_jp", "山田 太郎", "ISO-2022-JP"),
        ("hz", "王小明", "HZ"),
        ("iso2022_kr", "김철수", "ISO-2022-KR"),
        ("utf-7", "Amélie Müller", "UTF-7"),
        ("koi8-u", "Олексій Шевченко", "KOI8-U"),
        ("cp857", "Ayşe Yıldız", "CP857"),
        ("iso8859-16", "Ștefan Țepeș", "ISO-8859-16"),
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


def test_a_vietnamese_name_is_shown_as_it_is_stored() -> None:
    file = f"username;name\nu;{_separate_accents('Nguyễn Thị Hồng')}\n".encode("cp1258")
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(file), "")
    assert "Windows-1258: Nguyễn Thị Hồng" in caught.value.params["readings"]


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("gb18030", "叶"),
        ("gb18030", "姚"),
        ("gbk", "娄"),
        ("gb18030", "颖"),
        ("cp1250", "SZCZĘŚLIWA"),
        ("cp1250", "HOLÝŠOV"),
        ("iso8859-2", "KRÍŽ"),
        ("cp855", "Нене"),
        ("cp874", "ยง"),
        ("cp874", "ไบจาน"),
        ("mac-iceland", "Brynþórs"),
    ],
)
def test_a_name_that_is_utf_8_by_accident_is_doubtful(codec: str, name: str) -> None:
    data = f"username;name\nu;{name}\n".encode(codec)
    assert data.decode() != f"username;name\nu;{name}\n"
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(data), "")
    assert caught.value.code == "encoding_doubtful"
    assert name in caught.value.params["readings"]
    is_word = any(not char.isascii() and char.isalpha() for char in data.decode())
    assert ("UTF-8: " in caught.value.params["readings"]) == is_word


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("gb18030", "欧阳"),
        ("gb18030", "武汉"),
        ("euc-kr", "몰타"),
        ("euc-kr", "슬로베니아"),
        ("cp1250", "ŠŤASTNÁ"),
        ("iso8859-2", "PODLÉŠKOVÁ"),
        ("cp737", "Γεωργία"),
        ("cp866", "Мария"),
        ("euc-jp", "佐藤"),
        ("big5", "天母"),
    ],
)
def test_a_name_that_is_nearly_utf_8_is_shown_in_its_readings(codec: str, name: str) -> None:
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO(f"username;name\nu;{name}\n".encode(codec)), "")
    assert caught.value.code == "encoding_doubtful"
    assert name in caught.value.params["readings"]


def test_utf_8_of_every_language_is_read_without_a_question() -> None:
    words = [word for some in names().values() for word in some] + [
        word.upper() for some in names().values() for word in some
    ]
    assert not [word for word in words if is_refused([word], "utf-8")]


# Languages of which nothing was counted.
UNCOUNTED = """
Əliyev Ülkər Қазақстан Нұрлан Ђорђе Љиљана Ќосев Ўладзімір राम श्री სომხეთი გიორგი தமிழ் ሀበሻ বাংলা ਪੰਜਾਬ ગુજરાતી తెలుగు ಕನ್ನಡ
മലയാളം සිංහල ລາວ မြန်မာ ខ្មែរ བོད ᠮᠣᠩᠭᠣᠯ Ħal Għarb Ŵyn Ọlá Ẹ̀gbá ʻOkina É Ö Å Ø Я Ж Ї Α Ω Ű Š Ł Ɗan Ҳабиб Ғани Ҷалол Өмнөговь
Цэцэг 𠮷田 😀 日 李 김 山 ひ ア O’Neil Jean–Luc ½ 10° №5 Sørensen Nguyễn Đặng
"""


@pytest.mark.parametrize("word", UNCOUNTED.split())
def test_utf_8_of_other_languages_is_read_without_a_question(word: str) -> None:
    assert not is_refused([word], "utf-8")


@pytest.mark.parametrize(
    "cell",
    [
        "+33612345678",
        "+33 6 12 34 56 78",
        "+49-170 12",
        "C++",
        "a+tag@x.org",
        "+tag",
        "+abc-",
        "1+1=2",
        "~{",
        "Ab+cd/ef+gh",
    ],
)
def test_signs_of_ascii_are_no_doubt(cell: str) -> None:
    assert not is_refused([cell], "ascii")


@pytest.mark.parametrize("codec", ["iso2022_jp", "utf-7"])
def test_passwords_in_seven_bits_are_not_shown(codec: str) -> None:
    with pytest.raises(UndecodableFile) as caught:
        find_encoding(io.BytesIO("username;password;name\nu;秘密です;山田\n".encode(codec)), "")
    assert "山田" in caught.value.params["readings"]
    assert "秘密" not in caught.value.params["readings"]
