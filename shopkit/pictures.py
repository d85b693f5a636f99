"""Pictures that others send: known by their content, made anew, and kept in Django's default storage.

What is kept is never what was sent: the pixels are written into a new file, so that whatever else was in the old one
(a script behind the picture, where it was taken) is gone. Pillow is imported when the first picture comes.
"""

import io
import threading
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from shopkit.errors import Invalid, NotFound

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 500 * 1024
MAX_PIXELS = 25_000_000  # as many as a camera has; decoded, three or four bytes each
MAX_SIDE = 2000  # what is kept is scaled down to it
KINDS = ("JPEG", "PNG", "WEBP")
ORPHANED = timedelta(days=1)  # so long, a file may wait for what names it
_AT_ONCE = 100
_decoding = threading.Lock()  # one at a time in a process: a large one takes a few hundred megabytes for a moment


@dataclass(frozen=True)
class Picture:
    """A picture made anew; `kind` is `jpeg`, `png` or `webp`."""

    content: bytes
    kind: str


def cleaned(raw: bytes, *, place: str) -> Picture:
    """`Invalid`, with `place` in its details: `picture_too_large`, `picture_too_many_pixels`, `not_a_picture`."""
    from PIL import Image

    if len(raw) > MAX_BYTES:
        raise _refusal("picture_too_large", f"A picture is of {MAX_BYTES // 1024} KB at most.", place)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(raw), formats=KINDS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # ours is the lower limit
            fits = image.width * image.height <= MAX_PIXELS
            if fits:
                with _decoding:
                    return _anew(image, MAX_SIDE)
    except Image.DecompressionBombError:
        fits = False
    except Exception:  # what a decoder can come to on bytes that somebody has made up is not to be listed
        raise _refusal("not_a_picture", "This is no JPEG, PNG or WebP picture, or not a whole one.", place) from None
    message = f"A picture has at most {MAX_PIXELS // 1_000_000} million pixels."
    raise _refusal("picture_too_many_pixels", message, place)


def scaled(picture: Picture, side: int) -> Picture:
    """A clean picture, its longer side no longer than so many pixels."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.content), formats=KINDS) as image:
        return _anew(image, side)


def _anew(image: "Image", side: int) -> Picture:
    """The first frame, upright, with nothing but its pixels."""
    from PIL import ImageOps

    kind = "JPEG" if image.format == "MPO" else str(image.format)  # several JPEGs in one, as many phones take them
    image.draft("RGB", (side, side))  # a JPEG is decoded no larger than it is kept
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side, side))
    clear = kind != "JPEG" and upright.has_transparency_data
    pixels = upright.convert("RGBA" if clear else "RGB")
    pixels.info = {}  # or comments and profiles would be written along
    written = io.BytesIO()
    pixels.save(written, kind, **({} if kind == "PNG" else {"quality": 85}))
    return Picture(written.getvalue(), kind.lower())


def _refusal(code: str, message: str, place: str) -> Invalid:
    return Invalid(message, code=code, details={place: [message]})


def keep(picture: Picture, name: str) -> str:
    """The name under which the storage has it from now on."""
    return default_storage.save(name, ContentFile(picture.content))


def forget(name: str) -> None:
    default_storage.delete(name)


def content_of(name: str) -> bytes:
    """`NotFound` for a picture that the storage does not have."""
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise NotFound from None


def forget_orphans(folder: str, named: Callable[[list[str]], Collection[str]]) -> int:
    """Deletes those in the folder that nothing names, such as of a request that died halfway; how many.

    `named` tells of some file names, without the folder, which are named. Files younger than a day are left alone.
    """
    files, count = iter(_files(folder)), 0
    while names := list(islice(files, _AT_ONCE)):
        orphans = [f"{folder}/{name}" for name in set(names) - set(named(names))]
        count += sum(map(_forget_old, orphans))
    return count


def _files(folder: str) -> list[str]:
    try:
        return list(default_storage.listdir(folder)[1])
    except FileNotFoundError:  # nothing was ever kept there
        return []


def _forget_old(name: str) -> bool:
    try:
        old = default_storage.get_modified_time(name) < timezone.now() - ORPHANED
    except FileNotFoundError:
        return False
    if old:
        forget(name)
    return old
