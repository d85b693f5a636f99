"""The pictures of custom orders: kept under names that say nothing."""

import uuid

from order_service.custom_models import CustomImage
from shopkit import pictures
from shopkit.pictures import Picture

FOLDER = "custom-orders"


def keep(picture: Picture) -> str:
    """The name under which the storage has it from now on."""
    return pictures.keep(picture, f"{FOLDER}/{uuid.uuid4().hex}.{picture.kind}")


def forget_orphans() -> int:
    """Those of custom orders that were never made; how many."""
    return pictures.forget_orphans(FOLDER, _named)


def _named(names: list[str]) -> set[str]:
    files = [f"{FOLDER}/{name}" for name in names]
    found = CustomImage.objects.filter(file__in=files).values_list("file", flat=True)
    return {file.removeprefix(f"{FOLDER}/") for file in found}
