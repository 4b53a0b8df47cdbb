"""The folders of an unpacked archive, read in the order of its manifest.

Only folders that the manifest lists are read, and in them only files that backup_graph.json knows.
Source: spec backup_format.md sections 1 and 3
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import closing
from pathlib import Path

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.elements import is_of_module, known_modules, load_elements
from sync.moodle.course_content.backup.limits import BackupLimits
from sync.moodle.course_content.backup.manifest import ListedActivity, Manifest
from sync.moodle.course_content.backup.row_spool import RowSpool
from sync.moodle.course_content.backup.xml_events import XmlEnd, XmlStart, read_events
from sync.moodle.course_content.backup.xml_rows import ElementRowReader, Place
from sync.moodle.course_content.graph.content_source import SourceContext
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_COURSE, CONTEXT_MODULE

_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_INFOREF = "inforef.xml"
_FILEREF = ("inforef", "fileref", "file", "id")
_COURSE, _SECTION, _ACTIVITY, _BLOCK = "course", "section", "activity", "block"


class FolderReader:
    """Reads an archive's XML into a spool.

    Shape: contexts: by old id; left_out: activities of modules that aren't known; skipped: see ElementRowReader
    """

    def __init__(self, manifest: Manifest, xml: Path, spool: RowSpool, limits: BackupLimits) -> None:
        self.contexts = {manifest.contextid: SourceContext(CONTEXT_COURSE, manifest.courseid)}
        self.left_out: list[ListedActivity] = []
        self.skipped: Counter[str] = Counter()
        self._manifest = manifest
        self._xml = xml
        self._spool = spool
        self._limits = limits
        self._elements = load_elements()
        self._place: dict[str, int | str] = {"course": manifest.courseid, "context": manifest.contextid}

    def read(self, modules: Collection[str] | None = None) -> None:
        """Read all that belongs to the content. Shape: modules: see open_archive"""
        wanted = known_modules() if modules is None else known_modules().intersection(modules)
        activities = [activity for activity in self._manifest.activities if activity.modulename in wanted]
        self.left_out = [activity for activity in self._manifest.activities if activity.modulename not in wanted]
        cmids: dict[int, list[str]] = {}
        for activity in activities:
            cmids.setdefault(activity.sectionid, []).append(str(activity.moduleid))
        self._read_files("", "", self._place)
        self._read_folder(_COURSE, _COURSE, self._place)
        for section in self._manifest.sections:
            sequence = ",".join(cmids.get(section.sectionid, ()))
            self._read_folder(_SECTION, section.directory, {**self._place, "sequence": sequence})
        for activity in activities:
            self._read_activity(activity)
        self._read_blocks(_COURSE)

    def _read_activity(self, activity: ListedActivity) -> None:
        root = self._root(f"{activity.directory}/{activity.modulename}.xml")
        contextid, instance = _number(root, "contextid"), _number(root, "id")
        if root.get("moduleid") != str(activity.moduleid) or not contextid or not instance:
            raise ArchiveRefused("backup_activity_broken", title=activity.title, folder=activity.directory)
        self.contexts[contextid] = SourceContext(CONTEXT_MODULE, activity.moduleid)
        place = {
            **self._place,
            "context": contextid,
            "course_modules": activity.moduleid,
            "activity": instance,
            "component": f"mod_{activity.modulename}",
        }
        self._read_folder(_ACTIVITY, activity.directory, place, activity.modulename)
        self._read_blocks(activity.directory)

    def _read_blocks(self, directory: str) -> None:
        """Read the blocks of the course or of an activity, which the manifest doesn't list."""
        for folder in sorted((self._xml / directory).glob("blocks/*_*/")):
            within = f"{directory}/blocks/{folder.name}"
            contextid, blockid = (_number(self._root(f"{within}/block.xml"), name) for name in ("contextid", "id"))
            if contextid and blockid:
                self.contexts[contextid] = SourceContext(CONTEXT_BLOCK, blockid)
                self._read_folder(_BLOCK, within, {**self._place, "context": contextid})

    def _read_folder(self, kind: str, directory: str, place: Place, module: str = "") -> None:
        self._read_files(kind, directory, place, module)
        for fileid in self._filerefs(f"{directory}/{_INFOREF}"):
            self._spool.refer_to_file(fileid)

    def _read_files(self, kind: str, directory: str, place: Place, module: str = "") -> None:
        """Read the files of a folder, of those which are known for its kind."""
        for key, root in self._elements.items():
            of_kind, _slash, name = key.rpartition("/")
            if of_kind == kind and (not is_of_module(root) or name == f"{module}.xml"):
                path = f"{directory}/{name}".lstrip("/")
                reader = ElementRowReader(path, place, self._spool, self.skipped, self._limits.text)
                reader.read(self._events(path), root)

    def _filerefs(self, path: str) -> Iterator[int]:
        """Return the ids of the files that a folder refers to."""
        stack: list[str] = []
        for event in self._events(path):
            if isinstance(event, XmlStart):
                stack.append(event.name)
            else:
                if tuple(stack) == _FILEREF and event.text and event.text.isdecimal():
                    yield int(event.text)
                stack.pop()

    def _root(self, path: str) -> Mapping[str, str]:
        """Return the attributes of a file's outermost element."""
        with closing(self._events(path)) as events:
            return next((event.attributes for event in events if isinstance(event, XmlStart)), {})

    def _events(self, path: str) -> Generator[XmlStart | XmlEnd, None, None]:
        """Return the events of a file; none when it isn't there."""
        if (self._xml / path).is_file():
            with (self._xml / path).open("rb") as stream:
                yield from read_events(stream, path, self._limits)


def _number(attributes: Mapping[str, str], name: str) -> int:
    """Return an attribute as a number, 0 for none."""
    text = attributes.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else 0
