"""Course backups of any size are read in the same little memory."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from hashlib import sha1
from pathlib import Path

from tests.bench.figures import Line
from tests.bench.kit import ROOT, Measured
from tests.moodle.course_content.backup.archives import backup

MIB = 1024**2
PEAK_MIB = 128
# Of a backup of a GiB: 850 MiB in files, the rest in questions and in what is said of the files.
FILES, FILE_MIB, QUESTIONS = 85, 10, 60_000

_QUESTIONS = (
    '<question_categories><question_category id="1"><contextid>31</contextid><question_bank_entries>{}'
    "</question_bank_entries></question_category></question_categories>"
)
_QUESTION = (
    '<question_bank_entry id="{0}"><question_version><question_versions id="{0}"><version>1</version><questions>'
    '<question id="{0}"><qtype>essay</qtype><questiontext>{1}</questiontext><plugin_qtype_essay_question><essay id="{0}">'
    "<responseformat>editor</responseformat></essay></plugin_qtype_essay_question></question></questions></question_versions>"
    "</question_version></question_bank_entry>"
)
_FILE = (
    '<file id="{0}"><contenthash>{1}</contenthash><contextid>31</contextid><component>question</component>'
    "<filearea>questiontext</filearea><itemid>{0}</itemid><filepath>/</filepath><filename>{0}.bin</filename>"
    "<filesize>{2}</filesize></file>"
)


def test_a_backup_of_a_gigabyte_is_read_in_little_memory(tmp_path: Path, figures: list[Line]) -> None:
    few = _write(tmp_path / "small.mbz", files=1, questions=QUESTIONS // 100)
    many = _write(tmp_path / "large.mbz", files=FILES, questions=QUESTIONS)
    assert many.stat().st_size > 1024**3

    small, large = _read(few, tmp_path / "few"), _read(many, tmp_path / "many")

    figures.append(Line("course backup of 1 GiB, read", "", [large], most={"peak MiB": PEAK_MIB}))
    assert large.counts["question"] == large.counts["qtype_essay_options"] == large.counts["files"] == QUESTIONS
    assert large.peak_mib <= PEAK_MIB
    assert large.peak_mib < small.peak_mib + 40


def _read(file: Path, folder: Path) -> Measured:
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.one_archive", str(file), str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return Measured(**json.loads(done.stdout))


def _write(path: Path, *, files: int, questions: int) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=0, format=tarfile.USTAR_FORMAT) as archive:
        for name, data in backup().items():
            if name != "files.xml":
                _add(archive, name, data)
        hashes = []
        for _number in range(files):
            data = os.urandom(FILE_MIB * MIB)
            hashes.append(sha1(data).hexdigest())
            _add(archive, f"files/{hashes[-1][:2]}/{hashes[-1]}", data)
        text = "What happens? " * 200
        numbers = range(1, questions + 1)
        entries = "".join(_QUESTION.format(number, text) for number in numbers)
        _add(archive, "questions.xml", _QUESTIONS.format(entries).encode())
        named = "".join(_FILE.format(number, hashes[number % files], FILE_MIB * MIB) for number in numbers)
        _add(archive, "files.xml", f"<files>{named}</files>".encode())
    return path


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
