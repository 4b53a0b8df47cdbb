"""Ways to damage a file: bits, bytes, blocks, splices, lengths; of a zip also its parts, packed again."""

from __future__ import annotations

import io
import random
import re
import warnings
import zipfile
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

# What readers stumble over: marks, quotes, line ends, numbers, letters that aren't what they seem.
_TOKENS = (
    b'"', b'""', b"\"\n", b"';", b";", b",", b"\t", b"|", b":", b"\n", b"\r", b"\r\n", b"\n\n\n", b"\0", b"\0\0\0\0",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\xc3", b"\xc3\xa9", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
    b"\xe2\x80\xae", b"\xe2\x80\x8b", b"\xcc\x81", b"\xc2\xa0", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1a", b"\x1f", b"\x0b", b"\x0c",
    b"sep=;\n", b"sep=\t\r\n", b"# ", b"# ToolSync encoding=Windows-1253 separator=semicolon check=\xd9\n", b"#N/A", b"NULL",
    b"\\N", b"\\", b'\\"', b"=1+1", b'="0012"', b"=cmd|' /C calc'!A0", b"&#44", b"&#59;", b"1E+99", b"-0", b"1e309", b"nan",
    b"9" * 5000, b"0" * 400, b"-9223372036854775809", b"31/12/1969", b"29/02/2027", b"9999-99-99 99:99", b"13/13/13",
    b"<p>", b"<" * 300, b"<!--", b"%s%n{0}", b"{username}", b"../../etc/passwd", b"C:\\nul", b"'; DROP TABLE mdl_user; --",
    b"\xf0\x9f\x98\x80", b"_line", b"_code;_reason", b"username", b"username;username", b"#", b"(", b"[", b"-", b"/",
)  # fmt: skip
_XML_TOKENS = (
    b"<c", b"</c>", b"<v>", b"</row>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"&#xD800;", b"<![CDATA[", b"]]>",
    b"<?x?>", b"<!--", b"t='e'", b't="s"', b' s="99999"', b' r="XFD1048576"', b' r=""', b' r="A0"', b"<f>", b"<table:table-row>",
    b' table:number-columns-repeated="16384"', b' table:number-rows-repeated="1048576"', b"xmlns:x=''", b"\xff", b"\0",
)  # fmt: skip
_NUMBERS = (
    b"",
    b"-1",
    b"0",
    b"1",
    b"255",
    b"65536",
    b"1048577",
    b"2147483648",
    b"4294967296",
    b"9" * 30,
    b"1e308",
    b"nan",
    b"A",
)
_NUMBER = re.compile(rb"[0-9]{1,20}")
_TAG = re.compile(rb"</?[A-Za-z:]{1,40}[^<>]{0,200}>")
_TEXT = re.compile(rb"""[>"]([^<>"&]{1,200})[<"]""")
_MOST_BYTES = 4 << 20


class Mutator:
    """Damages files by chance. Shape: others: files of which parts are taken over"""

    def __init__(self, chance: random.Random, others: Sequence[bytes] = ()) -> None:
        self._chance = chance
        self._others = others

    def damaged(self, data: bytes) -> bytes:
        """Return a file with one to a dozen damages; a zip may be damaged within its parts."""
        chance = self._chance
        if zipfile.is_zipfile(io.BytesIO(data)) and chance.random() < 0.75:
            data = self._repacked(data)
            if chance.random() < 0.8:
                return data
        return self._worked(data, _BYTE_WAYS, chance.choice((1, 1, 1, 2, 3, 5, 12)))

    def _worked(self, data: bytes, ways: Sequence[Callable[[Mutator, bytes], bytes]], times: int) -> bytes:
        for _time in range(times):
            data = self._chance.choice(ways)(self, data)[:_MOST_BYTES]
        return data

    def _place(self, data: bytes) -> int:
        """Return a place; the beginnings and ends of files are hit more often."""
        last = len(data)
        return self._chance.choice((
            self._chance.randint(0, last), self._chance.randint(0, last), self._chance.randint(0, min(last, 100)),
            self._chance.randint(max(0, last - 100), last),
        ))  # fmt: skip

    def _block(self, data: bytes) -> tuple[int, int]:
        start = self._place(data)
        return start, min(len(data), start + self._chance.choice((1, 2, 4, 16, 100, 1000, 20_000)))

    def flip_bit(self, data: bytes) -> bytes:
        if not data:
            return data
        changed = bytearray(data)
        changed[self._place(data) % len(data)] ^= 1 << self._chance.randrange(8)
        return bytes(changed)

    def set_bytes(self, data: bytes) -> bytes:
        start, _end = self._block(data)
        new = self._chance.randbytes(self._chance.choice((1, 1, 2, 4, 8)))
        return data[:start] + new + data[start + len(new) :]

    def cut_block(self, data: bytes) -> bytes:
        start, end = self._block(data)
        return data[:start] + data[end:]

    def double_block(self, data: bytes) -> bytes:
        start, end = self._block(data)
        return data[:end] + data[start:end] * self._chance.choice((1, 1, 2, 50)) + data[end:]

    def swap_blocks(self, data: bytes) -> bytes:
        first, second = sorted((self._block(data), self._block(data)))
        if first[1] > second[0]:
            return data
        return (
            data[: first[0]]
            + data[slice(*second)]
            + data[first[1] : second[0]]
            + data[slice(*first)]
            + data[second[1] :]
        )

    def truncate(self, data: bytes) -> bytes:
        return data[: self._place(data)] if self._chance.random() < 0.7 else data[self._place(data) :]

    def splice(self, data: bytes) -> bytes:
        if not self._others:
            return data
        other = self._chance.choice(self._others)
        start, end = self._block(other)
        at, behind = self._block(data)
        return data[:at] + other[start:end] + data[self._chance.choice((at, behind)) :]

    def insert_token(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self._chance.choice(_TOKENS) * self._chance.choice((1, 1, 1, 2, 100)) + data[at:]

    def change_cell(self, data: bytes) -> bytes:
        """Put something odd in the place of what stands between two marks."""
        cells = [*re.finditer(rb"[^;,\t|:\r\n]{1,200}", data[:200_000])]
        if not cells:
            return data
        cell = self._chance.choice(cells)
        return data[: cell.start()] + self._chance.choice(_TOKENS) + data[cell.end() :]

    def repeat_line(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        if not lines:
            return data
        at = self._chance.randrange(len(lines))
        lines[at:at] = [self._chance.choice(lines)] * self._chance.choice((1, 1, 3, 300))
        return b"".join(lines)

    def shuffle_lines(self, data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        self._chance.shuffle(lines)
        return b"".join(lines)

    def recode_part(self, data: bytes) -> bytes:
        """Write a part, or all, as if it were in another encoding."""
        start, end = self._chance.choice((self._block(data), (0, len(data))))
        source, target = self._chance.sample(
            ("utf-8", "cp1252", "utf-16-le", "cp932", "utf-16", "utf-7", "cp437", "utf-32"), 2
        )
        part = data[start:end].decode(source, "replace").encode(target, "replace")
        return data[:start] + part + data[end:]

    def change_number(self, data: bytes) -> bytes:
        numbers = [*_NUMBER.finditer(data[:400_000])]
        if not numbers:
            return data
        number = self._chance.choice(numbers)
        return data[: number.start()] + self._chance.choice(_NUMBERS) + data[number.end() :]

    def change_tag(self, data: bytes) -> bytes:
        """Leave a tag of XML out, double it, or put another into its place."""
        tags = [*_TAG.finditer(data[:400_000])]
        if not tags:
            return data
        tag, other = self._chance.choice(tags), self._chance.choice(tags)
        new = self._chance.choice((b"", tag[0] * 2, other[0], tag[0] + other[0], self._chance.choice(_XML_TOKENS)))
        return data[: tag.start()] + new + data[tag.end() :]

    def change_text(self, data: bytes) -> bytes:
        """Put something odd in the place of the text of an element, or of the value of an attribute."""
        texts = [*_TEXT.finditer(data[:400_000])]
        if not texts:
            return data
        text = self._chance.choice(texts)
        token = self._chance.choice((*_TOKENS, *_NUMBERS)).decode("utf-8", "ignore")
        new = "".join(char for char in escape(token, {'"': "&quot;"}) if char >= " " or char in "\t\n\r").encode()
        return data[: text.start(1)] + new + data[text.end(1) :]

    def insert_xml_token(self, data: bytes) -> bytes:
        at = self._place(data)
        return data[:at] + self._chance.choice(_XML_TOKENS) * self._chance.choice((1, 1, 1, 50)) + data[at:]

    def _repacked(self, data: bytes) -> bytes:
        """Return a zip with a part that is damaged, gone, doubled, named otherwise or another's."""
        chance = self._chance
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = [(name, archive.read(name)) for name in archive.namelist()[:50]]
        except Exception:  # noqa: BLE001 (a damaged seed is a seed as well)
            return data
        if not parts:
            return data
        for _time in range(chance.choice((1, 1, 1, 2, 4))):
            # Sheets are the largest parts, and the ones that matter.
            at = max(chance.sample(range(len(parts)), min(2, len(parts))), key=lambda place: len(parts[place][1]))
            name, content = parts[at]
            match chance.randrange(12):
                case 0:
                    parts[at] = (name, chance.choice(parts)[1])
                case 1:
                    parts.insert(at, (name, self._worked(content, _XML_WAYS, 1)))
                case 2:
                    parts[at] = (chance.choice(_NAMES) if chance.random() < 0.5 else name.swapcase(), content)
                case 3 if len(parts) > 1:
                    del parts[at]
                case _:
                    parts[at] = (name, self._worked(content, _XML_WAYS, chance.choice((1, 1, 2, 6))))
        out = io.BytesIO()
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w") as archive:
            for name, content in parts:
                kind = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED, zipfile.ZIP_LZMA))
                archive.writestr(name, content, kind if chance.random() < 0.3 else zipfile.ZIP_DEFLATED)
        return out.getvalue()


_NAMES = (
    "../x",
    "/etc/passwd",
    "xl\\workbook.xml",
    "CON",
    "a/" * 300,
    "mimetype",
    "xl/workbook.bin",
    "\u202egnp.x",
    "x\0y",
)
_BYTE_WAYS = (
    Mutator.flip_bit, Mutator.flip_bit, Mutator.set_bytes, Mutator.set_bytes, Mutator.cut_block, Mutator.double_block,
    Mutator.swap_blocks, Mutator.truncate, Mutator.splice, Mutator.insert_token, Mutator.insert_token, Mutator.change_cell,
    Mutator.change_cell, Mutator.repeat_line, Mutator.shuffle_lines, Mutator.recode_part, Mutator.change_number,
)  # fmt: skip
_XML_WAYS = (
    *_BYTE_WAYS[:6], *[Mutator.change_text] * 16, *[Mutator.change_number] * 3, *[Mutator.change_tag] * 3,
    Mutator.insert_xml_token, Mutator.insert_token, Mutator.truncate,
)  # fmt: skip
