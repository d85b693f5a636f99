"""Pictures that strangers send: known by their content, made anew, and kept under names that say nothing.

What is kept is never what was sent: the pixels are written into a new file, so that whatever else was in the old one
(a script behind the picture, where it was taken) is gone.
"""

import io
import uuid
import warnings
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from shopkit.errors import Invalid, NotFound

MAX_BYTES = 500 * 1024
MAX_PIXELS = 25_000_000  # as many as a camera has; decoded, three or four bytes each
MAX_SIDE = 2000  # what is kept is scaled down to it
KINDS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class Picture:
    """A picture made anew; `kind` is `jpeg`, `png` or `webp`."""

    content: bytes
    kind: str


def cleaned(raw: bytes, *, place: str) -> Picture:
    """`Invalid`, with `place` in its details: `picture_too_large`, `picture_too_many_pixels`, `not_a_picture`."""
    if len(raw) > MAX_BYTES:
        raise _refusal("picture_too_large", f"A picture is of {MAX_BYTES // 1024} KB at most.", place)
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(raw), formats=KINDS) as image:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # ours is the lower limit
            fits = image.width * image.height <= MAX_PIXELS
            if fits:
                return _anew(image)
    except Image.DecompressionBombError:
        fits = False
    except Exception:  # what a decoder can come to on bytes that somebody has made up is not to be listed
        raise _refusal("not_a_picture", "This is no JPEG, PNG or WebP picture, or not a whole one.", place) from None
    message = f"A picture has at most {MAX_PIXELS // 1_000_000} million pixels."
    raise _refusal("picture_too_many_pixels", message, place)


def _anew(image: Image.Image) -> Picture:
    """The first frame, upright, with nothing but its pixels."""
    kind = str(image.format)
    image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # a JPEG is decoded no larger than it is kept
    image.load()
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((MAX_SIDE, MAX_SIDE))
    clear = kind != "JPEG" and upright.has_transparency_data
    pixels = upright.convert("RGBA" if clear else "RGB")
    pixels.info = {}  # or comments and profiles would be written along
    written = io.BytesIO()
    pixels.save(written, kind, **({} if kind == "PNG" else {"quality": 85}))
    return Picture(written.getvalue(), kind.lower())


def _refusal(code: str, message: str, place: str) -> Invalid:
    return Invalid(message, code=code, details={place: [message]})


def keep(picture: Picture) -> str:
    """The name under which the storage has it from now on."""
    name = f"custom-orders/{uuid.uuid4().hex}.{picture.kind}"
    return default_storage.save(name, ContentFile(picture.content))


def forget(name: str) -> None:
    default_storage.delete(name)


def content_of(name: str) -> bytes:
    try:
        with default_storage.open(name) as file:
            return bytes(file.read())
    except FileNotFoundError:
        raise NotFound from None
