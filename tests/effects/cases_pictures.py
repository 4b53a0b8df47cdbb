"""The cases of userpictures.md section 8. user21 is 23 and has a picture; 102 has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite
from tests.pictures import blobs, data_folder, zip_of
from tests.real_sites import moodle_data
from tests.support import run_file

FAMILIES = {
    # Nothing in a zip takes a picture away; users that are deleted lose theirs (cases_users).
    "user_picture_": ("user_picture_delete",),
}

_ANOTHER_ENCODER = Allowed(
    "files", "inserted", "PHP's GD makes other bytes of the same picture", ("contenthash", "filesize"), side="differs"
)
_DRAFT = Allowed("files", "inserted", "the draft area belongs to the form", where={"filearea": "draft"})


def _sent(userid: int, picture: str) -> Callable[[MoodleSite], None]:
    """Send one of the recorded pictures for a user."""

    def act(site: MoodleSite) -> None:
        path = moodle_data() / "effects" / "inputs" / picture
        with TemporaryDirectory() as folder:
            data = data_folder(Path(folder) / "moodledata")
            archive = zip_of({f"{userid}{path.suffix}": path.read_bytes()})
            result = run_file(
                site, "userpictures", archive, filename="userpictures_a.zip", dataroot=data, userfield="id"
            )
            assert result.counts == {"updated": 1}, result.report
            contextid = site.one("context", contextlevel=30, instanceid=userid)["id"]
            rows = site.rows("files", contextid=contextid, filearea="icon")
            assert {row["contenthash"]: row["filesize"] for row in rows} == {
                contenthash: len(content) for contenthash, content in blobs(data).items()
            }

    return act


CASES = (
    Case("user_picture_jpeg", "userpictures", "", act=_sent(102, "in_600x400.jpg"), allowed=(_ANOTHER_ENCODER,)),
    Case("user_picture_png", "userpictures", "", act=_sent(102, "in_alpha.png"), allowed=(_ANOTHER_ENCODER,)),
    Case("user_picture_small", "userpictures", "", act=_sent(102, "in_60x40.png"), allowed=(_ANOTHER_ENCODER,)),
    Case("user_picture_replace", "userpictures", "", act=_sent(23, "in_600x400.jpg"), allowed=(_ANOTHER_ENCODER,)),
    Case("user_picture_page", "userpictures", "", act=_sent(102, "in_600x400.jpg"), allowed=(_ANOTHER_ENCODER, _DRAFT)),
)
