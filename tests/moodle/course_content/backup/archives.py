"""Course backups made for a test: a small course with one page, and ways to pack it."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha1
from pathlib import Path
from typing import Any

from sync.moodle.course_content.backup.content import ArchivedContent, open_archive
from sync.moodle.course_content.backup.limits import BackupLimits

MANIFEST, FILES, PAGE = "moodle_backup.xml", "files.xml", "activities/page_7/page.xml"
PICTURE = b"a picture"
BLOB = f"files/{sha1(PICTURE).hexdigest()[:2]}/{sha1(PICTURE).hexdigest()}"

Members = Mapping[str, bytes]

_INFORMATION = {
    "moodle_version": "2024100705.01",
    "moodle_release": "4.5.5+ (Build: 20250613)",
    "backup_version": "2024100700",
    "backup_release": "4.5",
    "include_files": "1",
    "original_wwwroot": "https://old.example",
    "original_site_identifier_hash": "5b51ff073eeef10765ed4d035bdaca5d",
    "original_course_id": "3",
    "original_course_format": "topics",
    "original_course_fullname": "Chemistry",
    "original_course_shortname": "CHEM",
    "original_course_startdate": "1756677600",
    "original_course_contextid": "30",
}
_ACTIVITY = (
    "<activity><moduleid>{cmid}</moduleid><sectionid>5</sectionid><modulename>{module}</modulename>"
    "<title>The {module}</title><directory>activities/{module}_{cmid}</directory></activity>"
)


def manifest(
    *, kind: str = "course", activities: Iterable[tuple[str, int]] = (("page", 7),), left_out: str = "", **changed: str
) -> bytes:
    """Return a moodle_backup.xml. Shape: activities: (module, cmid); left_out: of a folder that isn't included, "page_7" """
    scalars = "".join(f"<{name}>{text}</{name}>" for name, text in {**_INFORMATION, **changed}.items())
    listed = "".join(_ACTIVITY.format(module=module, cmid=cmid) for module, cmid in activities)
    settings = "<setting><level>root</level><name>users</name><value>0</value></setting>"
    if left_out:
        settings += (
            f"<setting><level>activity</level><activity>{left_out}</activity><name>{left_out}_included</name>"
            "<value>0</value></setting>"
        )
    return (
        f"<moodle_backup><information>{scalars}<details><detail backup_id='x'><type>{kind}</type><format>moodle2</format>"
        f"</detail></details><contents><activities>{listed}</activities><sections><section><sectionid>5</sectionid>"
        "<title>1</title><directory>sections/section_5</directory></section></sections><course><courseid>3</courseid>"
        f"<directory>course</directory></course></contents><settings>{settings}</settings></information></moodle_backup>"
    ).encode()


def activity(module: str, within: str, *, cmid: int = 7, instance: int = 70, contextid: int = 31) -> bytes:
    """Return the XML of an activity. Shape: within: XML of what its instance holds"""
    return (
        f'<activity id="{instance}" moduleid="{cmid}" modulename="{module}" contextid="{contextid}">'
        f'<{module} id="{instance}"><name>The {module}</name>{within}</{module}></activity>'
    ).encode()


def file_row(**changed: str) -> bytes:
    """Return a files.xml with one file of the page."""
    fields = {
        "contenthash": sha1(PICTURE).hexdigest(),
        "contextid": "31",
        "component": "mod_page",
        "filearea": "content",
        "itemid": "0",
        "filepath": "/",
        "filename": "picture.png",
        "filesize": str(len(PICTURE)),
        **changed,
    }
    return f'<files><file id="9">{"".join(f"<{name}>{text}</{name}>" for name, text in fields.items())}</file></files>'.encode()


def backup(**kind: Any) -> dict[str, bytes]:
    """Return the members of a sound backup: a page with a picture, in one section."""
    return {
        ".ARCHIVE_INDEX": b"Moodle archive file index. Count: 8\n",
        BLOB: PICTURE,
        "activities/page_7/inforef.xml": b"<inforef><fileref><file><id>9</id></file></fileref></inforef>",
        "activities/page_7/module.xml": b'<module id="7" version="1"><modulename>page</modulename>'
        b"<sectionid>5</sectionid></module>",
        PAGE: activity("page", "<content>Hello</content>"),
        "course/course.xml": b'<course id="3" contextid="30"><shortname>CHEM</shortname></course>',
        FILES: file_row(),
        MANIFEST: manifest(**kind),
        "sections/section_5/section.xml": b'<section id="5"><number>1</number><sequence>7,999</sequence></section>',
    }


def tar_gz(members: Members, *further: tarfile.TarInfo) -> bytes:
    """Pack as Moodle does. Shape: further: headers without bytes, links and the like"""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in further:
            archive.addfile(info)
    return packed.getvalue()


def zipped(members: Members) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def regzipped(packed: bytes, length: int) -> bytes:
    """Return a tar.gz whose tar ends after so many bytes, and whose gzip is sound."""
    return gzip.compress(gzip.decompress(packed)[:length])


def opened(
    folder: Path, data: bytes, limits: BackupLimits | None = None, modules: Iterable[str] | None = None
) -> ArchivedContent:
    """Open an archive that is made of bytes, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    path = folder / "backup.mbz"
    path.write_bytes(data)
    (folder / "work").mkdir()
    return open_archive(
        path, folder / "work", limits or BackupLimits(), None if modules is None else frozenset(modules)
    )
