"""The pictures of a custom order: kept anew under names that say nothing, all of them or none."""

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from order_service import custom_orders, pictures
from order_service.custom_models import CustomOrder
from order_service.tests.conftest import ADDRESS, ASKED, CUSTOM_PATH, Asks
from order_service.tests.world import Shop
from shopkit.pictures import Picture
from shopkit.testing import Caller, caller
from shopkit.tests.test_pictures import SCRIPT, noise, picture

pytestmark = pytest.mark.django_db(transaction=True)


def sent(by: Caller, *files: tuple[str, bytes, str], **fields: Any) -> Any:
    images = [SimpleUploadedFile(name, content, kind) for name, content, kind in files]
    return by.post(CUSTOM_PATH, {**ASKED, **fields, "images": images}, format="multipart")


def stored() -> list[Path]:
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_pictures_come_as_files_and_are_kept_anew_under_names_that_say_nothing(shop: Shop) -> None:
    files = ("../../etc/ada.html", picture() + SCRIPT, "text/html"), ("b.png", picture("PNG"), "image/png")
    answer = sent(caller("ada"), *files, **{f"shipping_address.{name}": value for name, value in ADDRESS.items()})
    assert answer.status_code == 201, answer.content
    asked = answer.json()
    assert asked["shipping_address"]["city"] == ADDRESS["city"]
    got = [caller("ada").get(url.removeprefix("http://localhost"), HTTP_ACCEPT="image/*") for url in asked["images"]]
    assert [each["Content-Type"] for each in got] == ["image/jpeg", "image/png"]
    assert all(SCRIPT not in each.content and each["X-Content-Type-Options"] == "nosniff" for each in got)
    assert all(re.fullmatch(r"[0-9a-f]{32}\.(jpeg|png)", path.name) for path in stored())


def test_pictures_come_as_base64_too_bare_or_as_data_urls(shop: Shop, asks: Asks) -> None:
    bare = base64.b64encode(picture("WEBP")).decode()
    assert len(asks(images=[bare, f"data:image/webp;base64,{bare}"])["images"]) == 2


BAD = [
    (("a.jpg", SCRIPT, "image/jpeg"), "not_a_picture"),
    (("a.gif", picture("GIF"), "image/gif"), "not_a_picture"),
    (("a.png", picture("GIF"), "image/png"), "not_a_picture"),
    (("a.jpg", picture(size=(400, 400))[:-200], "image/jpeg"), "not_a_picture"),
    (("a.png", noise(1200), "image/png"), "picture_too_large"),
]


@pytest.mark.parametrize(("file", "code"), BAD)
def test_a_bad_picture_is_refused_and_nothing_of_the_wish_is_kept(
    shop: Shop, file: tuple[str, bytes, str], code: str
) -> None:
    answer = sent(caller("ada"), ("good.png", picture("PNG"), "image/png"), file)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["details"]) == ["images.1"]
    assert (CustomOrder.objects.count(), stored()) == (0, [])


def test_when_it_can_not_be_kept_its_pictures_are_not_either(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_orders, "_log", lambda *_args: 1 / 0)
    assert sent(caller("ada"), ("good.png", picture("PNG"), "image/png")).status_code == 500
    assert (CustomOrder.objects.count(), stored()) == (0, [])


def test_text_in_a_form_is_text(shop: Shop) -> None:
    assert sent(caller("ada"), description="a\x1b[31mb").status_code == 400


def test_a_picture_that_the_storage_has_lost_is_404(shop: Shop, asks: Asks) -> None:
    url = asks(images=[base64.b64encode(picture()).decode()])["images"][0].removeprefix("http://localhost")
    stored()[0].unlink()
    assert caller("ada").get(url).status_code == 404


def test_anothers_picture_is_not_found_under_ones_own(shop: Shop, asks: Asks) -> None:
    mine, theirs = asks(), asks(caller("bob"), images=[base64.b64encode(picture()).decode()])
    image = theirs["images"][0].partition("?")[0].rstrip("/").rpartition("/")[2]
    assert caller("ada").get(f"{CUSTOM_PATH}{mine['id']}/images/{image}/").status_code == 404


def test_a_picture_of_a_custom_order_that_was_never_made_is_forgotten_after_a_day(shop: Shop, asks: Asks) -> None:
    asks(images=[base64.b64encode(picture()).decode()])
    kept = set(stored())
    lost, fresh = (pictures.keep(Picture(picture(), "jpeg")) for _ in range(2))
    for file in stored():
        if not file.name.endswith(fresh.rpartition("/")[2]):
            os.utime(file, (0, 0))
    assert pictures.forget_orphans() == 1
    assert {file.name for file in stored()} == {file.name for file in kept} | {fresh.rpartition("/")[2]}
    assert lost not in {file.name for file in stored()}
