"""Archives that nobody should trust, and archives that came to harm: refused with a reason, nothing written elsewhere."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from sync.errors import ArchiveRefused
from sync.messages import text_of
from sync.moodle.course_content.backup.limits import BackupLimits
from tests.moodle.course_content.backup.archives import (
    BLOB,
    FILES,
    MANIFEST,
    PAGE,
    activity,
    backup,
    file_row,
    manifest,
    opened,
    regzipped,
    tar_gz,
    zipped,
)


def with_member(name: str, data: bytes = b"<x/>") -> bytes:
    return tar_gz({**backup(), name: data})


def without(name: str) -> bytes:
    return tar_gz({member: data for member, data in backup().items() if member != name})


def header(name: str, kind: bytes, target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return tar_gz(backup(), info)


def twice() -> bytes:
    info = tarfile.TarInfo(PAGE)
    return tar_gz(backup(), info)


def long_name(tar_format: Literal[0, 1, 2]) -> bytes:
    """Return an archive whose header can't hold the name, so that a further one does."""
    info = tarfile.TarInfo("course/" + 120 * "a" + ".xml")
    return regzipped_with(info.tobuf(tar_format))


def regzipped_with(first: bytes) -> bytes:
    """Return a tar.gz with some bytes before its first header."""
    return gzip.compress(first + gzip.decompress(tar_gz(backup())))


def zip_link() -> bytes:
    return zip_with(lambda info: setattr(info, "external_attr", 0o120777 << 16))


def encrypted_zip() -> bytes:
    """Return a zip whose first member is marked as encrypted, in its own header and in the directory."""
    packed = bytearray(zipped(backup()))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def zip_with(change: Callable[[zipfile.ZipInfo], None]) -> bytes:
    packed = io.BytesIO(zipped(backup()))
    info = zipfile.ZipInfo("course/roles.xml")
    change(info)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(info, "/etc/passwd")
    return packed.getvalue()


def other_method(method: int) -> bytes:
    """Return a zip with a member that its header calls small, and that would fill the memory."""
    return zip_with(lambda info: setattr(info, "compress_type", method))


def before_the_beginning() -> bytes:
    """Return a zip whose directory says that it begins later than it does, so that the members would be before the file."""
    packed = bytearray(zipped(backup()))
    end = packed.index(b"PK\x05\x06")
    start = int.from_bytes(packed[end + 16 : end + 20], "little")
    packed[end + 16 : end + 20] = (start + 625).to_bytes(4, "little")
    return bytes(packed)


def beyond_every_file() -> bytes:
    """Return a zip with a member that lies where no file has a place."""
    packed = zipped(backup())
    end = packed.index(b"PK\x05\x06")
    start = packed.index(b"PK\x01\x02")
    entry, name = bytearray(packed[start : start + 46]), b"course/roles.xml"
    extra = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    entry[28:32] = struct.pack("<HH", len(name), len(extra))
    entry[42:46] = b"\xff" * 4
    further, rest = bytes(entry) + name + extra, bytearray(packed[end:])
    rest[12:16] = (end - start + len(further)).to_bytes(4, "little")
    return packed[:start] + further + packed[start:end] + bytes(rest)


def damaged(packed: bytes, at: float) -> bytes:
    place = int(len(packed) * at)
    return packed[:place] + bytes([packed[place] ^ 0xFF]) + packed[place + 1 :]


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no bytes": (lambda: b"", "backup_empty"),
    "no archive": (lambda: b"%PDF-1.7 " * 99, "backup_not_archive"),
    "gzip of something else": (lambda: regzipped_with(b"\xff" * 512), "backup_damaged"),
    "truncated gzip": (lambda: tar_gz(backup())[:-300], "backup_truncated"),
    "truncated tar in a sound gzip": (lambda: regzipped(tar_gz(backup()), 3000), "backup_truncated"),
    "damaged gzip": (lambda: damaged(tar_gz(backup()), 0.5), "backup_damaged"),
    "truncated zip": (lambda: zipped(backup())[:-300], "backup_truncated"),
    "damaged zip": (lambda: damaged(zipped(backup()), 0.1), "backup_damaged"),
    "zip whose members lie before the file": (before_the_beginning, "backup_damaged"),
    "zip whose members lie beyond every file": (beyond_every_file, "backup_damaged"),
    "zip packed by bzip2": (lambda: other_method(zipfile.ZIP_BZIP2), "backup_method"),
    "zip packed by LZMA": (lambda: other_method(zipfile.ZIP_LZMA), "backup_method"),
    "encrypted zip": (encrypted_zip, "backup_encrypted"),
    "link in a zip": (zip_link, "backup_member_special"),
    "symbolic link": (lambda: header("course/roles.xml", tarfile.SYMTYPE, "/etc/passwd"), "backup_member_special"),
    "hard link": (lambda: header("course/roles.xml", tarfile.LNKTYPE, PAGE), "backup_member_special"),
    "device": (lambda: header("course/roles.xml", tarfile.CHRTYPE), "backup_member_special"),
    "fifo": (lambda: header("course/roles.xml", tarfile.FIFOTYPE), "backup_member_special"),
    "name in a GNU header": (lambda: long_name(tarfile.GNU_FORMAT), "backup_member_special"),
    "name in a pax header": (lambda: long_name(tarfile.PAX_FORMAT), "backup_member_special"),
    "absolute name": (lambda: with_member("/etc/cron.xml"), "backup_member_name"),
    "name that climbs": (lambda: with_member("course/../../evil.xml"), "backup_member_name"),
    "name that climbs in a zip": (lambda: zipped({**backup(), "../evil.xml": b""}), "backup_member_name"),
    "drive letter": (lambda: with_member("c:/evil.xml"), "backup_member_name"),
    "backslash": (lambda: with_member("course\\evil.xml"), "backup_member_name"),
    "control character": (lambda: with_member("course/evil\n.xml"), "backup_member_name"),
    "member of another layout": (lambda: with_member("course/evil.php"), "backup_member_unknown"),
    "hidden member": (lambda: with_member(".htaccess"), "backup_member_unknown"),
    "blob in the wrong folder": (lambda: with_member(f"files/00/{BLOB[-40:]}"), "backup_member_unknown"),
    "member twice": (twice, "backup_member_twice"),
    "wrong hash": (lambda: with_member(BLOB, b"another picture"), "backup_blob_differs"),
    "wrong size": (lambda: with_member(FILES, file_row(filesize="8")), "backup_blob_differs"),
    "file name that climbs": (lambda: with_member(FILES, file_row(filename="../x")), "backup_file_row"),
    "file path that climbs": (lambda: with_member(FILES, file_row(filepath="/../x/")), "backup_file_row"),
    "file of an odd component": (lambda: with_member(FILES, file_row(component="mod_page; --")), "backup_file_row"),
    "file of an odd hash": (lambda: with_member(FILES, file_row(contenthash="../../etc/passwd")), "backup_file_row"),
    "document type": (lambda: with_member(PAGE, b'<!DOCTYPE x [<!ENTITY y "z">]><x/>'), "backup_xml_doctype"),
    "unknown entity": (lambda: with_member(PAGE, activity("page", "<intro>&y;</intro>")), "backup_xml_broken"),
    "no XML": (lambda: with_member(PAGE, activity("page", "")[:-5]), "backup_xml_broken"),
    "not UTF-8": (
        lambda: with_member(PAGE, activity("page", "<intro>?</intro>").replace(b"?", b"\xff")),
        "backup_xml_broken",
    ),
    "deep XML": (lambda: with_member(PAGE, b"<a>" * 40 + b"</a>" * 40), "backup_xml_deep"),
    "number of a row": (
        lambda: with_member("groups.xml", b'<groups><group id="1e9"/></groups>'),
        "backup_row_id",
    ),
    "no manifest": (lambda: without(MANIFEST), "backup_manifest_missing"),
    "manifest of nothing": (lambda: with_member(MANIFEST, b"<moodle_backup/>"), "backup_manifest_missing"),
    "backup of an activity": (lambda: tar_gz(backup(kind="activity")), "backup_kind"),
    "backup of the front page": (lambda: tar_gz(backup(original_course_format="site")), "backup_of_site"),
    "too old": (lambda: tar_gz(backup(backup_version="2021051700", backup_release="3.11")), "backup_old"),
    "manifest without a number": (lambda: tar_gz(backup(original_course_id="x")), "backup_manifest_number"),
    "manifest that climbs": (
        lambda: with_member(MANIFEST, manifest().replace(b"activities/page_7", b"activities/../7")),
        "backup_manifest_folder",
    ),
    "manifest that lists twice": (
        lambda: with_member(MANIFEST, manifest(activities=(("page", 7), ("page", 7)))),
        "backup_manifest_folder",
    ),
    "activity that is missing": (lambda: without(PAGE), "backup_activity_broken"),
    "activity of another number": (lambda: with_member(PAGE, activity("page", "", cmid=8)), "backup_activity_broken"),
}


@pytest.mark.parametrize(("made", "code"), list(HOSTILE.values()), ids=list(HOSTILE))
def test_it_is_refused_with_a_reason(tmp_path: Path, made: Callable[[], bytes], code: str) -> None:
    folder = tmp_path / "archive"

    with pytest.raises(ArchiveRefused) as refused:
        opened(folder, made())

    assert refused.value.code == code
    assert "%(" not in text_of(code, refused.value.params)
    assert {path.name for path in tmp_path.iterdir()} == {"archive"}
    assert {path.name for path in folder.iterdir()} == {"backup.mbz", "work"}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (BackupLimits(packed=500), "backup_large"),
        (BackupLimits(unpacked=2_000), "backup_large"),
        (BackupLimits(members=5), "backup_members"),
        (BackupLimits(xml=100), "backup_member_large"),
        (BackupLimits(manifest=100), "backup_member_large"),
        (BackupLimits(depth=3), "backup_xml_deep"),
        (BackupLimits(text=3), "backup_xml_text"),
        (BackupLimits(names=5), "backup_xml_names"),
    ],
    ids=["packed", "unpacked", "members", "xml", "manifest", "depth", "text", "names"],
)
@pytest.mark.parametrize("pack", [tar_gz, zipped], ids=["tar", "zip"])
def test_what_goes_beyond_a_limit_is_refused(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes], limits: BackupLimits, code: str
) -> None:
    with pytest.raises(ArchiveRefused) as refused:
        opened(tmp_path / "archive", pack(backup()), limits)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("begin", "end"),
    [("<groups><group><name>", "</name></group></groups>"), ("<groups>", "</groups>"), ("<groups ", '="1"/>')],
    ids=["text", "between elements", "tag"],
)
def test_a_text_or_tag_beyond_the_limit_is_refused_while_it_is_read(tmp_path: Path, begin: str, end: str) -> None:
    groups = f"{begin}{300_000 * 'x'}{end}".encode()

    with pytest.raises(ArchiveRefused) as refused:
        opened(tmp_path / "archive", tar_gz({**backup(), "groups.xml": groups}), BackupLimits(text=100_000))

    assert refused.value.code == "backup_xml_text"


def test_rows_that_wait_for_another_one_do_not_fill_the_memory(tmp_path: Path) -> None:
    """Whether an external tool is of the course or of the site shows at its end; what belongs to it waits until then."""
    configs = f"<ltitypesconfigs>{300 * '<ltitypesconfig/>'}</ltitypesconfigs>"
    tool = f'<ltitype id="1"><course>3</course>{configs}</ltitype>'
    members = {
        **backup(),
        MANIFEST: manifest(activities=[("lti", 7)]),
        "activities/lti_7/lti.xml": activity("lti", tool),
    }

    with pytest.raises(ArchiveRefused) as refused:
        opened(tmp_path / "archive", tar_gz(members), BackupLimits(text=100_000))

    assert refused.value.code == "backup_xml_text"


def test_a_file_that_finds_no_room_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=8))

    with pytest.raises(ArchiveRefused) as refused:
        opened(tmp_path / "archive", tar_gz(backup()))

    assert refused.value.code == "backup_no_space"


def test_a_zip_lists_no_more_than_the_memory_can_take(tmp_path: Path) -> None:
    """Whichever of two ends of the directory tells the truth: `zipfile` believes the one of a zip64."""
    packed = zipped(backup())
    start, end = packed.index(b"PK\x01\x02"), packed.index(b"PK\x05\x06")
    entries = packed[start:end] * 2_000
    large = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 18_000, 18_000, len(entries), start)
    place = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(entries), 1)
    hidden = packed[:start] + entries + large + place + packed[end:]
    tracemalloc.start()
    with pytest.raises(ArchiveRefused) as refused:
        opened(tmp_path / "archive", hidden, BackupLimits(listed=10_000))
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert refused.value.code == "backup_members"


def test_a_bomb_is_refused_before_it_is_written(tmp_path: Path) -> None:
    """Headers say how large members are; what grows too much is refused by them, or by what has come so far."""
    blob = b"\0" * (30 * 1024**2)

    for pack in (tar_gz, zipped):
        folder = tmp_path / pack.__name__
        with pytest.raises(ArchiveRefused) as refused:
            opened(folder, pack({**backup(), "course/roles.xml": blob}))

        assert refused.value.code == "backup_ratio"
        assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1024**2
