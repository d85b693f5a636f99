"""Pictures: known by what is in them, made anew without what else was in the file, and refused where they are none."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from shopkit import pictures
from shopkit.errors import Invalid

SCRIPT = b"<script>alert(1)</script>"


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: Any) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else 0).save(written, kind, **more)
    return written.getvalue()


def noise(side: int) -> bytes:
    written = io.BytesIO()
    Image.effect_noise((side, side), 90).save(written, "PNG")
    return written.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_each_of_the_three_kinds_comes_out_as_it_went_in(kind: str) -> None:
    made = pictures.cleaned(picture(kind), place="images.0")
    assert made.kind == kind.lower()
    assert (opened(made.content).format, opened(made.content).size) == (kind, (40, 30))


def with_comment() -> bytes:
    return picture("JPEG", comment=SCRIPT)


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SCRIPT.decode()
    return picture("JPEG", exif=exif)


def with_text() -> bytes:
    info = PngInfo()
    info.add_text("Comment", SCRIPT.decode())
    return picture("PNG", pnginfo=info)


def with_profile() -> bytes:
    return picture("WEBP", icc_profile=SCRIPT)


POLYGLOTS: list[Callable[[], bytes]] = [
    with_comment,
    with_exif,
    with_text,
    with_profile,
    lambda: picture("JPEG") + SCRIPT,
    lambda: picture("PNG") + b"PK\x03\x04" + SCRIPT,
]


@pytest.mark.parametrize("make", POLYGLOTS)
def test_what_is_hidden_in_or_behind_a_picture_is_not_kept(make: Callable[[], bytes]) -> None:
    raw = make()
    assert SCRIPT in raw
    assert SCRIPT not in pictures.cleaned(raw, place="images.0").content


def test_a_picture_taken_sideways_is_kept_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(pictures.cleaned(picture(exif=exif), place="images.0").content).size == (30, 40)


def test_what_shines_through_still_does() -> None:
    made = pictures.cleaned(picture("PNG", mode="RGBA"), place="images.0")
    assert opened(made.content).mode == "RGBA"


def test_a_large_one_is_kept_smaller() -> None:
    assert max(opened(pictures.cleaned(picture("PNG", (4000, 300)), place="images.0").content).size) == 2000


def test_of_one_that_moves_the_first_picture_is_kept() -> None:
    more = {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "blue")]}
    assert getattr(opened(pictures.cleaned(picture("WEBP", **more), place="images.0").content), "n_frames", 1) == 1


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is a huge one."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def text_bomb() -> bytes:
    info = PngInfo()
    info.add_text("Comment", "A" * 50_000_000, zip=True)
    return picture("PNG", pnginfo=info)


BAD = [
    (lambda: b"", "not_a_picture"),
    (lambda: SCRIPT, "not_a_picture"),
    (lambda: b"\xff\xd8\xff\xe0" + SCRIPT, "not_a_picture"),
    (lambda: picture("GIF"), "not_a_picture"),
    (lambda: picture("TIFF"), "not_a_picture"),
    (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_picture"),
    (lambda: b"%PDF-1.7", "not_a_picture"),
    (lambda: noise(300)[:20_000], "not_a_picture"),
    (lambda: picture("JPEG", (400, 400))[:-200], "not_a_picture"),
    (lambda: picture("WEBP", (400, 400))[:-30], "not_a_picture"),
    (lambda: bomb(100, 100), "not_a_picture"),
    (text_bomb, "not_a_picture"),
    (lambda: noise(1200), "picture_too_large"),
    (lambda: bomb(6000, 5000), "picture_too_many_pixels"),
    (lambda: bomb(60_000, 60_000), "picture_too_many_pixels"),
    (lambda: bomb(2**31 - 1, 2**31 - 1), "picture_too_many_pixels"),
]


@pytest.mark.parametrize(("make", "code"), BAD)
def test_what_is_no_picture_or_too_much_of_one_is_refused(make: Callable[[], bytes], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        pictures.cleaned(make(), place="images.3")
    assert (refused.value.code, list(refused.value.details)) == (code, ["images.3"])


def test_one_of_just_500_kb_is_taken_and_a_byte_more_is_not() -> None:
    full = picture("PNG").ljust(pictures.MAX_BYTES, b"\0")
    assert pictures.cleaned(full, place="images.0").kind == "png"
    with pytest.raises(Invalid):
        pictures.cleaned(full + b"\0", place="images.0")


def test_a_smaller_one_is_made_of_a_clean_one_and_none_is_made_larger() -> None:
    made = pictures.cleaned(picture("PNG", (900, 300)), place="image")
    sizes = [opened(pictures.scaled(made, side).content).size for side in (200, 600, 1000)]
    assert sizes == [(200, 67), (600, 200), (900, 300)]


def test_nobody_imports_the_decoder_before_a_picture_comes() -> None:
    code = "import sys, shopkit.items.urls; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", f"import django; django.setup(); {code}"], check=False).returncode == 0


def test_several_photos_in_one_file_as_phones_take_them_are_a_jpeg() -> None:
    written = io.BytesIO()
    first, second = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
    first.save(written, "MPO", save_all=True, append_images=[second])
    clean = pictures.cleaned(written.getvalue(), place="image")
    assert (clean.kind, opened(clean.content).format) == ("jpeg", "JPEG")
