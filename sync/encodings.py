"""The encodings in which a command file may be written: all that Moodle's upload form offers (`core_text::get_encodings`),
and those of Windows, DOS and Mac beside them.

Moodle's list is that of PHP (`mb_list_encodings`). Left out are its forms of transport (BASE64, UUENCODE, QUOTED-PRINTABLE,
HTML-ENTITIES), which encode no characters, and UTF7-IMAP, for names of mailboxes; Moodle, which converts with iconv, can't read
them either.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.euc_tw import find_euc_tw

# Name, which Python's codecs understand as well -> whose letters it holds.
ENCODING_LABELS: Mapping[str, str | Promise] = {
    "UTF-8": _("all scripts"),
    "UTF-16": _("all scripts"),
    "UTF-16LE": _("all scripts"),
    "UTF-16BE": _("all scripts"),
    "UTF-32LE": _("all scripts"),
    "UTF-32BE": _("all scripts"),
    "UTF-7": _("all scripts"),
    "ASCII": _("English"),
    "Windows-1252": _("Western European"),
    "ISO-8859-1": _("Western European"),
    "ISO-8859-15": _("Western European"),
    "macintosh": _("Western European, Mac"),
    "CP850": _("Western European, DOS"),
    "CP437": _("Western European, DOS"),
    "CP865": _("Scandinavian, DOS"),
    "ISO-8859-14": _("Celtic"),
    "Windows-1250": _("Central European"),
    "ISO-8859-2": _("Central European"),
    "ISO-8859-16": _("South-Eastern European"),
    "CP852": _("Central European, DOS"),
    "mac-latin2": _("Central European, Mac"),
    "mac-croatian": _("Croatian, Mac"),
    "mac-romanian": _("Romanian, Mac"),
    "Windows-1257": _("Baltic"),
    "ISO-8859-13": _("Baltic"),
    "ISO-8859-4": _("Baltic"),
    "CP775": _("Baltic, DOS"),
    "ISO-8859-10": _("Nordic"),
    "mac-iceland": _("Icelandic, Mac"),
    "ISO-8859-3": _("South European"),
    "Windows-1254": _("Turkish"),
    "ISO-8859-9": _("Turkish"),
    "CP857": _("Turkish, DOS"),
    "mac-turkish": _("Turkish, Mac"),
    "Windows-1251": _("Cyrillic"),
    "ISO-8859-5": _("Cyrillic"),
    "KOI8-R": _("Cyrillic"),
    "KOI8-U": _("Cyrillic"),
    "CP866": _("Cyrillic, DOS"),
    "CP855": _("Cyrillic, DOS"),
    "mac-cyrillic": _("Cyrillic, Mac"),
    "Windows-1253": _("Greek"),
    "ISO-8859-7": _("Greek"),
    "CP737": _("Greek, DOS"),
    "mac-greek": _("Greek, Mac"),
    "Windows-1255": _("Hebrew"),
    "ISO-8859-8": _("Hebrew"),
    "CP862": _("Hebrew, DOS"),
    "Windows-1256": _("Arabic"),
    "ISO-8859-6": _("Arabic"),
    "CP720": _("Arabic, DOS"),
    "CP864": _("Arabic, DOS"),
    "ArmSCII-8": _("Armenian"),
    "Windows-1258": _("Vietnamese"),
    "CP874": _("Thai"),
    "CP932": _("Japanese, Shift_JIS of Windows"),
    "Shift_JIS": _("Japanese"),
    "Shift_JIS-2004": _("Japanese"),
    "EUC-JP": _("Japanese"),
    "EUC-JIS-2004": _("Japanese"),
    "ISO-2022-JP": _("Japanese"),
    "ISO-2022-JP-2004": _("Japanese"),
    "GB18030": _("Chinese, simplified"),
    "GBK": _("Chinese, simplified"),
    "HZ": _("Chinese, simplified"),
    "Big5": _("Chinese, traditional"),
    "CP950": _("Chinese, traditional"),
    "EUC-TW": _("Chinese, traditional"),
    "CP949": _("Korean"),
    "EUC-KR": _("Korean"),
    "ISO-2022-KR": _("Korean"),
}

# Bytes of these that look like ASCII may be parts of other characters, so their files are handed on as UTF-8.
_UTF_16 = ("UTF-16LE", "UTF-16BE")
_UTF_32 = ("UTF-32LE", "UTF-32BE")
WITH_ZERO_BYTES = frozenset((*_UTF_16, *_UTF_32))
MULTI_BYTE = WITH_ZERO_BYTES | frozenset(
    name
    for name in ENCODING_LABELS
    if name.startswith(("UTF-7", "CP93", "Shift", "EUC", "ISO-2022", "GB", "HZ", "Big5", "CP95", "CP949"))
)

# How Moodle's form and other programs call them, where Python doesn't know the name.
_OTHER_NAMES = {
    "UCS-2": "UTF-16", "UCS-2LE": "UTF-16LE", "UCS-2BE": "UTF-16BE", "UCS-4": "UTF-32LE", "UCS-4LE": "UTF-32LE",
    "UCS-4BE": "UTF-32BE", "UTF-32": "UTF-32LE", "7BIT": "ASCII", "8BIT": "ISO-8859-1",
    "SJIS": "CP932", "SJIS-WIN": "CP932", "SJIS-MAC": "Shift_JIS", "SJIS-2004": "Shift_JIS-2004", "EUCJP-WIN": "EUC-JP",
    "CP51932": "EUC-JP", "EUC-JP-2004": "EUC-JIS-2004", "JIS": "ISO-2022-JP", "ISO-2022-JP-MS": "ISO-2022-JP",
    "CP50220": "ISO-2022-JP", "CP50221": "ISO-2022-JP", "CP50222": "ISO-2022-JP", "EUC-CN": "GBK", "CP936": "GBK",
    "BIG-5": "CP950", "WINDOWS-31J": "CP932", "UHC": "CP949", "MACROMAN": "macintosh", "X-MAC-ROMAN": "macintosh",
    "TIS-620": "CP874", "ISO-8859-11": "CP874", "GB2312": "GBK", "GB18030-2022": "GB18030",
}  # fmt: skip

_LONGEST_NAME = 40

# From byte A0 on; the letters stand in pairs of a capital and a small one.
_ARMSCII_8 = (
    "\xa0\ufffe\u0587\u0589)(\xbb\xab\u2014.\u055d,-\u058a\u2026\u055c\u055b\u055e"
    + "".join(chr(0x531 + place) + chr(0x561 + place) for place in range(38))
    + "\u055a\ufffe"
)


def find_encoding_name(typed: str) -> str:
    """Return the name in ENCODING_LABELS for an encoding, however it is spelt. Raises: LookupError."""
    name = typed.strip().upper().partition("#")[0].removesuffix("-MOBILE")
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if len(name) > _LONGEST_NAME or not name.isprintable():
        # Python remembers every name that it was ever asked for, and can't look for one with a zero byte.
        raise LookupError(typed[:_LONGEST_NAME])
    return _names_by_codec()[codecs.lookup(name).name]


@cache
def _names_by_codec() -> dict[str, str]:
    """Return the name in ENCODING_LABELS by what Python calls it, for which each of them has to be loaded."""
    return {codecs.lookup(name).name: name for name in ENCODING_LABELS} | {"utf-8-sig": "UTF-8"}


def _armscii_8(name: str) -> codecs.CodecInfo | None:
    """Return the Armenian encoding, which Python doesn't bring along."""
    if name != "armscii_8":
        return None
    table = "".join(map(chr, range(0xA0))) + _ARMSCII_8
    # Some of its upper characters are those of ASCII once more.
    encoding_table = codecs.charmap_build(
        table[:0xA0] + "".join("\ufffe" if char.isascii() else char for char in table[0xA0:])
    )

    class Decoder(codecs.IncrementalDecoder):
        def decode(self, data: bytes, final: bool = False) -> str:  # type: ignore[override]
            return codecs.charmap_decode(data, self.errors, table)[0]

    class Encoder(codecs.IncrementalEncoder):
        def encode(self, text: str, final: bool = False) -> bytes:
            return codecs.charmap_encode(text, self.errors, encoding_table)[0]

    return codecs.CodecInfo(
        name="armscii-8",
        encode=lambda text, errors="strict": codecs.charmap_encode(text, errors, encoding_table),
        decode=lambda data, errors="strict": codecs.charmap_decode(data, errors, table),
        incrementalencoder=Encoder,
        incrementaldecoder=Decoder,
    )


codecs.register(_armscii_8)
codecs.register(find_euc_tw)
