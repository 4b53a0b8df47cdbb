"""What becomes of each picture of a zip. Source: spec userpictures.md sections 2, 4, 5 and 7 (P-1 to P-6)."""

from __future__ import annotations

import hashlib
import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile

from sync.errors import CommandFileError, MoodleError
from tests.moodle_sites import MoodleSite
from tests.pictures import (
    BLUE,
    GREEN,
    RED,
    blobs,
    data_folder,
    encoded,
    icon_of,
    picture,
    picture_of,
    pixel_of,
    shown,
    userid_of,
    zip_of,
)
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")

EMPTY = hashlib.sha1(b"").hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return data_folder(tmp_path / "moodledata")


def send(site: MoodleSite, data: Path, files: dict[str, bytes] | bytes, **options: Any) -> RunResult:
    content = files if isinstance(files, bytes) else zip_of(files)
    return run_file(site, "userpictures", content, filename="userpictures_a.zip", dataroot=data, **options)


def add_user(site: MoodleSite, username: str, **values: Any) -> int:
    return site.insert(
        "user", **{"auth": "manual", "confirmed": 1, "mnethostid": 1, "username": username, "password": "",
                   "firstname": "F", "lastname": "L", "email": f"{username}@x.org", **values},
    )  # fmt: skip


def drop_checksum_field(site: MoodleSite) -> None:
    """A real site may have it."""
    site.execute("DELETE FROM {user_info_field} WHERE shortname = 'userpicturehash'")


def add_checksum_field(site: MoodleSite) -> int:
    drop_checksum_field(site)
    return site.insert(
        "user_info_field", shortname="userpicturehash", name="User picture checksum (MD5)", datatype="textarea",
        categoryid=0, sortorder=999, locked=1, visible=0,
    )  # fmt: skip


def test_p1_a_jpeg_becomes_three_squares_of_its_middle(moodle_site: MoodleSite, data: Path) -> None:
    # Columns 100 to 499 are the middle: what is left and right of it is blue.
    image = Image.new("RGB", (600, 400), BLUE)
    ImageDraw.Draw(image).rectangle((100, 0, 499, 399), fill=RED)
    quality_90 = Image.open(io.BytesIO(picture(kind="JPEG", quality=90)))
    assert isinstance(quality_90, JpegImageFile)
    drop_checksum_field(moodle_site)
    before = moodle_site.snapshot()

    result = send(moodle_site, data, {"ann.jpg": encoded(image, "JPEG", quality=95)})

    assert result.counts == {"updated": 1}, result.report
    icon = icon_of(moodle_site, "ann")
    assert list(icon) == ["f1.jpg", ".", "f2.jpg", "f3.jpg"]
    assert picture_of(moodle_site, "ann") == icon["f1.jpg"]["id"]
    changes = moodle_site.diff(before, moodle_site.snapshot())
    assert changes.keys() == {"files", "user"}
    assert [update["after"].keys() for update in changes["user"]["updated"]] == [{"picture"}]
    pool = blobs(data)
    assert pool.keys() == {row["contenthash"] for row in icon.values()}
    assert pool[EMPTY] == b""
    for name, side in (("f1.jpg", 100), ("f2.jpg", 35), ("f3.jpg", 512)):
        square = shown(moodle_site, data, "ann", name)
        assert (square.format, square.size) == ("JPEG", (side, side))
        assert isinstance(square, JpegImageFile)
        assert square.quantization == quality_90.quantization
        assert len(pool[icon[name]["contenthash"]]) == icon[name]["filesize"]
        for x in (1, side // 2, side - 2):
            red, _green, blue = pixel_of(square, (x, side // 2))
            assert red > 150 > blue


def test_p2_the_same_zip_again_is_unchanged_by_its_checksum(moodle_site: MoodleSite, data: Path) -> None:
    fieldid = add_checksum_field(moodle_site)
    ann_jpg = picture(kind="JPEG")
    send(moodle_site, data, {"ann.jpg": ann_jpg})
    kept = moodle_site.one("user_info_data", fieldid=fieldid)
    assert kept["data"] == hashlib.md5(ann_jpg).hexdigest()
    before = moodle_site.snapshot()

    again = send(moodle_site, data, {"ann.jpg": ann_jpg})

    assert again.counts == {"unchanged": 1}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert send(moodle_site, data, {"ann.jpg": picture(kind="JPEG", colour=BLUE)}).counts == {"updated": 1}
    assert moodle_site.one("user_info_data", fieldid=fieldid)["data"] != kept["data"]


def test_the_same_picture_again_is_unchanged_without_a_checksum_field(sqlite_site: MoodleSite, data: Path) -> None:
    send(sqlite_site, data, {"ann.png": picture()})
    before = sqlite_site.snapshot()

    assert send(sqlite_site, data, {"ann.png": picture()}).counts == {"unchanged": 1}

    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    assert sqlite_site.rows("user_info_data") == []


def test_a_checksum_counts_only_while_the_picture_is_there(sqlite_site: MoodleSite, data: Path) -> None:
    add_checksum_field(sqlite_site)
    send(sqlite_site, data, {"ann.png": picture()})
    sqlite_site.execute("DELETE FROM {files}")
    sqlite_site.execute("UPDATE {user} SET picture = 0")

    assert send(sqlite_site, data, {"ann.png": picture()}).counts == {"updated": 1}
    assert send(sqlite_site, data, {"ann.png": picture()}, checksum=0).counts == {"unchanged": 1}


def test_p3_a_user_that_has_a_picture_keeps_it_when_nothing_is_to_be_replaced(
    sqlite_site: MoodleSite, data: Path
) -> None:
    add_user(sqlite_site, "bob", picture=900)
    before = sqlite_site.snapshot()

    result = send(sqlite_site, data, {"class1/bob.png": picture()}, overwrite=0)

    assert result.codes == ["picture_kept"]
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_p4_a_transparent_png_takes_the_place_of_a_jpeg(moodle_site: MoodleSite, data: Path) -> None:
    send(moodle_site, data, {"ann.jpg": picture(kind="JPEG")})
    old = icon_of(moodle_site, "ann")
    old_id = picture_of(moodle_site, "ann")

    result = send(moodle_site, data, {"ann.png": picture(80, 80, colour=(0, 0, 200, 0), mode="RGBA")})

    assert result.counts == {"updated": 1}
    new = icon_of(moodle_site, "ann")
    assert set(new) == {".", "f1.png", "f2.png", "f3.png"}
    assert picture_of(moodle_site, "ann") == new["f1.png"]["id"] != old_id
    assert pixel_of(shown(moodle_site, data, "ann", "f3.png"), (5, 5))[3] == 0
    assert blobs(data, "trashdir").keys() == {old[name]["contenthash"] for name in ("f1.jpg", "f2.jpg", "f3.jpg")}
    assert blobs(data).keys() == {row["contenthash"] for row in new.values()}


def test_a_content_that_another_user_shows_is_not_thrown_away(sqlite_site: MoodleSite, data: Path) -> None:
    add_user(sqlite_site, "bob")
    send(sqlite_site, data, {"ann.png": picture(), "bob.png": picture()})

    send(sqlite_site, data, {"ann.png": picture(colour=BLUE)})

    assert blobs(data, "trashdir") == {}
    assert shown(sqlite_site, data, "bob", "f1.png").size == (100, 100)


def test_p5_each_file_that_is_no_good_picture_is_told_and_the_rest_goes_on(sqlite_site: MoodleSite, data: Path) -> None:
    add_user(sqlite_site, "bob")
    send(sqlite_site, data, {"ann.png": picture(colour=GREEN)})
    icon = icon_of(sqlite_site, "ann")
    files = {
        "zoe.png": picture(), ".png": picture(), "__MACOSX/._ann.jpg": b"x", "readme.txt": b"x",
        "ann.webp": picture(kind="WEBP"), "Thumbs.db": b"x", "_reasons.csv": b"x", "noextension": b"x", "bob.png": picture(),
    }  # fmt: skip

    result = send(sqlite_site, data, files)

    assert {outcome.subject: outcome.code for outcome in result.outcomes} == {
        "zoe.png": "picture_owner_unknown",
        "readme.txt": "picture_owner_unknown",
        "ann.webp": "picture_unreadable",
        "bob.png": "picture_set",
    }
    assert "no pictures at all were passed over: 5" in result.report
    assert icon_of(sqlite_site, "ann") == icon
    assert picture_of(sqlite_site, "ann") == icon["f1.png"]["id"]
    assert blobs(data, "trashdir") == {}


def test_the_tryback_is_a_zip_of_the_failed_pictures_that_can_be_sent_again(
    sqlite_site: MoodleSite, data: Path
) -> None:
    result = send(sqlite_site, data, {"class/zoe.png": picture(), "../out.png": picture(), "ann.png": picture()})

    assert result.tryback is not None
    with zipfile.ZipFile(io.BytesIO(result.tryback)) as tryback:
        assert tryback.namelist() == ["class/zoe.png", "_reasons.csv"]
        assert tryback.read("class/zoe.png") == picture()
        reasons = tryback.read("_reasons.csv").decode("utf-8-sig").splitlines()
    assert reasons[0] == "file;_code;_reason"
    assert [line.split(";")[:2] for line in reasons[1:]] == [
        ["../out.png", "picture_owner_unknown"],
        ["class/zoe.png", "picture_owner_unknown"],
    ]
    add_user(sqlite_site, "zoe")
    assert send(sqlite_site, data, result.tryback).counts == {"updated": 1}


def test_p6_a_hosted_username_names_its_host_and_a_gif_becomes_a_png(sqlite_site: MoodleSite, data: Path) -> None:
    elsewhere = add_user(sqlite_site, "ann", mnethostid=7, email="other@x.org")
    gif = encoded(Image.new("P", (40, 40), 0), "GIF", transparency=0)

    result = send(
        sqlite_site, data, {"Ann@1.gif": gif, "ann@2.gif": gif, "ann.gif": gif}, userfield="hostedusername"
    )  # fmt: skip

    assert sorted(result.codes) == ["picture_owner_unknown", "picture_set", "picture_without_host"]
    assert sqlite_site.one("user", id=elsewhere)["picture"] == 0
    ann = sqlite_site.one("user", username="ann", mnethostid=1)
    icon = sqlite_site.one("files", id=ann["picture"])
    assert (icon["filename"], icon["mimetype"]) == ("f1.png", "image/png")
    square = Image.open(io.BytesIO(blobs(data)[icon["contenthash"]]))
    assert square.mode == "RGBA"
    assert pixel_of(square, (50, 50))[3] == 0


@pytest.mark.parametrize(
    ("userfield", "name"),
    [("username", "ANN.png"), ("email", "Ann@X.org.png"), ("idnumber", "A1.png"), ("id", "{id}.png"), ("username", " ann .png")],
)  # fmt: skip
def test_a_user_is_found_by_what_the_picture_is_named_after(
    sqlite_site: MoodleSite, data: Path, userfield: str, name: str
) -> None:
    path = "a/b/" + name.format(id=userid_of(sqlite_site, "ann"))

    assert send(sqlite_site, data, {path: picture()}, userfield=userfield).counts == {"updated": 1}


@pytest.mark.parametrize("name", ["{id}abc", "{id}.5", "+{id}", "0x{id:x}", "-{id}", "{id}e0"])
def test_an_id_is_digits_and_no_server_may_read_more_into_it(moodle_site: MoodleSite, data: Path, name: str) -> None:
    path = name.format(id=userid_of(moodle_site, "ann")) + ".png"
    before = moodle_site.snapshot()

    assert send(moodle_site, data, {path: picture()}, userfield="id").codes == ["picture_owner_unknown"]

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_an_empty_identifier_means_nobody_and_one_of_two_users_neither(sqlite_site: MoodleSite, data: Path) -> None:
    add_user(sqlite_site, "no-number", idnumber="")
    add_user(sqlite_site, "twin1", idnumber="T")
    add_user(sqlite_site, "twin2", idnumber="T")
    before = sqlite_site.snapshot()

    result = send(sqlite_site, data, {" .png": picture(), "T.png": picture()}, userfield="idnumber")

    assert result.codes == ["picture_without_name", "picture_ambiguous"]
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_deleted_users_and_those_of_other_hosts_get_no_picture(sqlite_site: MoodleSite, data: Path) -> None:
    add_user(sqlite_site, "gone", deleted=1)
    add_user(sqlite_site, "far", mnethostid=7)
    suspended = add_user(sqlite_site, "suspended", suspended=1)

    result = send(sqlite_site, data, {"far.png": picture(), "gone.png": picture(), "suspended.png": picture()})

    assert result.codes == ["picture_owner_unknown", "picture_owner_unknown", "picture_set"]
    # A user that has no context gets one.
    assert sqlite_site.one("context", contextlevel=30, instanceid=suspended)["depth"] == 2


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_of_several_pictures_the_last_good_one_by_path_is_taken(
    sqlite_site: MoodleSite, data: Path, chunk_rows: int
) -> None:
    files = {"c/ann.png": b"no picture", "b/Ann.png": picture(colour=BLUE), "a/ann.png": picture(colour=GREEN)}

    result = send(sqlite_site, data, files, chunk_rows=chunk_rows)

    assert result.codes == ["superseded", "picture_set", "picture_unreadable"]
    assert shown(sqlite_site, data, "ann", "f1.png").getpixel((50, 50)) == BLUE
    assert len(blobs(data)) == 4


@pytest.mark.parametrize(("width", "height"), [(601, 400), (400, 601), (301, 201)])
def test_the_middle_of_an_odd_picture_is_cut_out_as_moodle_does(
    sqlite_site: MoodleSite, data: Path, width: int, height: int
) -> None:
    # Half the side and half the middle, both rounded down; everything around that square is blue.
    half = min(width, height) // 2
    left, top = width // 2 - half, height // 2 - half
    image = Image.new("RGB", (width, height), BLUE)
    ImageDraw.Draw(image).rectangle((left, top, left + 2 * half - 1, top + 2 * half - 1), fill=RED)

    send(sqlite_site, data, {"ann.png": encoded(image, "PNG")})

    assert shown(sqlite_site, data, "ann", "f3.png").getcolors() == [(512 * 512, RED)]


@pytest.mark.parametrize(("orientation", "place"), [(1, (50, 250)), (3, (460, 250)), (6, (250, 50)), (8, (250, 460))])
def test_a_picture_is_turned_as_the_camera_says(
    sqlite_site: MoodleSite, data: Path, orientation: int, place: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    half = Image.new("RGB", (200, 200), BLUE)
    ImageDraw.Draw(half).rectangle((0, 0, 99, 199), fill=RED)

    send(sqlite_site, data, {"ann.jpg": encoded(half, "JPEG", exif=exif, quality=95)})

    square = shown(sqlite_site, data, "ann", "f3.jpg")
    opposite = (510 - place[0], 510 - place[1]) if place[1] != 250 else (510 - place[0], 250)
    assert _is_near(square.getpixel(place), RED)
    assert _is_near(square.getpixel(opposite), BLUE)


def test_small_pictures_are_enlarged_and_large_ones_of_any_mode_are_resized(
    sqlite_site: MoodleSite, data: Path
) -> None:
    for number, made in enumerate(
        (
            picture(1, 1), picture(3000, 4000, "JPEG"), picture(50, 50, "JPEG", (0, 200, 200, 0), "CMYK"),
            picture(50, 50, colour=40000, mode="I;16"), picture(50, 50, colour=1, mode="1"),
        )
    ):  # fmt: skip
        username = f"mode{number}"
        add_user(sqlite_site, username)
        result = send(sqlite_site, data, {f"{username}.png": made})
        assert result.counts == {"updated": 1}
        name = "f3.jpg" if number in (1, 2) else "f3.png"
        assert shown(sqlite_site, data, username, name).size == (512, 512)


def test_what_is_hostile_or_damaged_in_a_zip_is_a_sentence_each(sqlite_site: MoodleSite, data: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bob.png", picture())
        archive.writestr("ann.png", b"no picture, whatever its name says")
        archive.writestr("bomb/ann.jpg", b"\0" * 21_000_000)
        archive.writestr("huge/ann.png", _header_of_a_huge_png())
        link = zipfile.ZipInfo("link/ann.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../../ann.png", picture())
        archive.writestr("/ann.png", picture())
        archive.writestr("damaged/ann.png", picture(colour=GREEN))
        archive.writestr("secret/ann.png", picture(colour=BLUE))
        archive.writestr("liar/ann.jpg", b"\0" * 21_000_000)
    content = bytearray(out.getvalue())
    _say_size(content, b"liar/ann.jpg", 1000)
    _encrypt(content, b"secret/ann.png")
    _damage(content, b"damaged/ann.png")
    add_user(sqlite_site, "bob")
    outside = {path for path in data.parent.rglob("*") if data not in path.parents}

    result = send(sqlite_site, data, bytes(content))

    assert {outcome.subject: outcome.code for outcome in result.outcomes} == {
        "bob.png": "picture_set",
        "ann.png": "picture_unreadable",
        "bomb/ann.jpg": "picture_too_large",
        "liar/ann.jpg": "picture_damaged",
        "huge/ann.png": "picture_too_many_pixels",
        "link/ann.png": "picture_link",
        "../../ann.png": "picture_outside",
        "/ann.png": "picture_outside",
        "damaged/ann.png": "picture_damaged",
        "secret/ann.png": "picture_encrypted",
    }
    assert "30000 by 30000 pixels" in result.report
    assert {path for path in data.parent.rglob("*") if data not in path.parents} == outside
    assert blobs(data).keys() == {row["contenthash"] for row in icon_of(sqlite_site, "bob").values()}


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"no zip", "zip_broken"), (b"", "zip_broken"), (zip_of({".x": b"x"}), "zip_without_pictures"),
     (zip_of({"ann.png": picture()})[:-30], "zip_broken")],
)  # fmt: skip
def test_p8_what_is_no_zip_is_refused_as_a_whole(
    sqlite_site: MoodleSite, data: Path, content: bytes, code: str
) -> None:
    with pytest.raises(CommandFileError) as refused:
        send(sqlite_site, data, content)
    assert refused.value.code == code


def test_a_simulation_says_what_a_run_does_and_writes_nothing(sqlite_site: MoodleSite, data: Path) -> None:
    files = {"ann.png": picture(), "b/ann.png": picture(colour=BLUE), "zoe.png": picture(), "c/ann.gif": b"x"}
    before = sqlite_site.snapshot()

    simulated = send(sqlite_site, data, files, simulate=True)

    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}
    assert blobs(data) == {}
    assert send(sqlite_site, data, files).codes == simulated.codes


def test_without_a_data_folder_nothing_is_done(sqlite_site: MoodleSite) -> None:
    with pytest.raises(MoodleError) as refused:
        run_file(sqlite_site, "userpictures", zip_of({"ann.png": picture()}))
    assert refused.value.code == "pictures_without_data_folder"


def test_contents_whose_rows_moodle_refuses_are_taken_out_of_the_pool(sqlite_site: MoodleSite, data: Path) -> None:
    add_user(sqlite_site, "bob")
    sqlite_site.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE OF picture ON {user} WHEN OLD.username = 'ann'"
        " BEGIN SELECT RAISE(ABORT, 'refused'); END"
    )
    try:
        result = send(sqlite_site, data, {"ann.png": picture(), "bob.png": picture(colour=BLUE)})
    finally:
        sqlite_site.execute("DROP TRIGGER refuse")

    assert result.codes == ["moodle_refused", "picture_set"]
    assert blobs(data).keys() == {row["contenthash"] for row in icon_of(sqlite_site, "bob").values()}
    assert icon_of(sqlite_site, "ann") == {}


def test_a_chunk_costs_the_same_queries_however_many_pictures_it_has(sqlite_site: MoodleSite, data: Path) -> None:
    for number in range(30):
        add_user(sqlite_site, f"many{number}")
    few = send(sqlite_site, data, {f"many{number}.png": picture() for number in range(2)})
    many = send(sqlite_site, data, {f"many{number}.png": picture(colour=BLUE) for number in range(2, 30)})

    assert many.queries == few.queries


def _is_near(colour: Any, wanted: Any) -> bool:
    return all(abs(one - other) < 40 for one, other in zip(colour, wanted, strict=True))


def _header_of_a_huge_png() -> bytes:
    """A picture that says it has 30,000 x 30,000 pixels; nobody should find out what comes then."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + picture()[33:]


def _encrypt(content: bytearray, name: bytes) -> None:
    """Say that an entry is encrypted, in its own header and in the directory."""
    content[content.index(name) - 24] |= 1
    content[content.rindex(name) - 38] |= 1


def _say_size(content: bytearray, name: bytes, size: int) -> None:
    """Say in both places that an entry unpacks to so many bytes."""
    struct.pack_into("<I", content, content.index(name) - 8, size)
    struct.pack_into("<I", content, content.rindex(name) - 22, size)


def _damage(content: bytearray, name: bytes) -> None:
    place = content.index(name) + len(name) + 10
    content[place] ^= 0xFF
