"""An item's pictures: taken by content, served so that they can be kept for ever, and none left behind."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from shopkit import pictures
from shopkit.items import changes, images
from shopkit.testing import Caller, at_once, staff_caller
from shopkit.tests.test_pictures import BAD, POLYGLOTS, SCRIPT, opened, picture

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / images.FOLDER


@pytest.fixture
def path(staff: Caller) -> str:
    book = staff.post("/api/books/", {"name": "Emma", "author": "Jane Austen"}).json()
    return f"/api/books/{book['id']}/"


def upload(path: str, content: bytes, name: str = "a.jpg", kind: str = "image/jpeg") -> Any:
    form = {"image": SimpleUploadedFile(name, content, kind)}
    return staff_caller().post(f"{path}images/", form, format="multipart")


def colour(number: int) -> bytes:
    """A picture that is no other's."""
    return picture("PNG", (number + 1, 9))


def files(media: Path) -> list[str]:
    return sorted(each.name for each in media.glob("*"))


def test_a_picture_is_taken_and_served_with_its_thumbnails(path: str, staff: Caller, ada: Caller) -> None:
    made = upload(path, picture(size=(900, 300)))
    assert made.status_code == 201, made.content
    shown = ada.get(path).json()
    assert shown["images"] == [made.json()["url"]]
    assert shown["version"] == 2
    sizes = {None: (900, 300), "200": (200, 67), "600": (600, 200)}
    for width, size in sizes.items():
        answer = ada.get(made.json()["thumbnails"][width] if width else made.json()["url"])
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
        assert opened(answer.content).size == size
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_each_kind_says_what_it_is_whatever_it_was_called(path: str, ada: Caller, kind: str) -> None:
    url = upload(path, picture(kind), "evil.html", "text/html").json()["url"]
    answer = ada.get(url, HTTP_ACCEPT="text/css")
    assert (answer["Content-Type"], opened(answer.content).format) == (f"image/{kind.lower()}", kind)


def test_what_has_not_changed_is_not_sent_again(path: str, ada: Caller) -> None:
    made = upload(path, picture()).json()
    tags = {url: ada.get(url)["ETag"] for url in (made["url"], *made["thumbnails"].values())}
    assert len(set(tags.values())) == 3
    for url, tag in tags.items():
        again = ada.get(url, HTTP_IF_NONE_MATCH=f'"x", {tag}')
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        assert "immutable" in again["Cache-Control"]
        assert ada.get(url, HTTP_IF_NONE_MATCH='"x"').status_code == 200


def test_it_is_the_same_by_all_paths(path: str, ada: Caller) -> None:
    url = upload(path, picture()).json()["url"]
    for other in ("/api/items/", "/api/products/", "/api/v1/books/"):
        assert ada.get(url.replace("/api/books/", other)).content == ada.get(url).content


@pytest.mark.parametrize("make", POLYGLOTS)
def test_what_is_hidden_in_a_picture_is_served_to_nobody(path: str, ada: Caller, make: Any) -> None:
    made = upload(path, make()).json()
    for url in (made["url"], *made["thumbnails"].values()):
        assert SCRIPT not in ada.get(url).content


def test_a_picture_taken_sideways_is_upright_and_of_one_that_moves_the_first_is_shown(path: str, ada: Caller) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    more = {"save_all": True, "append_images": [Image.new("RGB", (40, 30), "blue")]}
    sideways, moving = upload(path, picture(exif=exif)).json(), upload(path, picture("WEBP", **more)).json()
    assert opened(ada.get(sideways["url"]).content).size == (30, 40)
    assert getattr(opened(ada.get(moving["url"]).content), "n_frames", 1) == 1


@pytest.mark.parametrize(("make", "code"), BAD)
def test_what_is_no_picture_is_refused_and_leaves_nothing(path: str, media: Path, make: Any, code: str) -> None:
    raw = make()
    answer = upload(path, raw) if raw else staff_caller().post(f"{path}images/", {"image": ""})
    assert (answer.status_code, answer.json()["code"], list(answer.json()["details"])) == (400, code, ["image"])
    assert (staff_caller().get(path).json()["images"], files(media)) == ([], [])


@pytest.mark.parametrize("body", [{}, {"image": None}, {"image": ["a"]}, {"image": {"a": 1}}, {"image": "§"}])
def test_a_body_without_a_picture_is_refused(path: str, staff: Caller, body: Any) -> None:
    answer = staff.post(f"{path}images/", body)
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["image"])


def test_base64_will_do(path: str, staff: Caller, ada: Caller) -> None:
    made = staff.post(f"{path}images/", {"image": base64.b64encode(picture("WEBP")).decode()})
    assert ada.get(made.json()["url"])["Content-Type"] == "image/webp"


def test_they_stay_in_the_order_they_came_and_ten_are_enough(path: str, staff: Caller, media: Path) -> None:
    urls = [upload(path, colour(n)).json()["url"] for n in range(images.MOST)]
    assert staff.get(path).json()["images"] == urls
    more = upload(path, colour(99))
    assert (more.status_code, more.json()["code"]) == (409, "too_many_images")
    assert len(files(media)) == 3 * images.MOST
    assert staff.delete(urls[3]).status_code == 204
    assert staff.get(path).json()["images"] == urls[:3] + urls[4:]
    listed = staff.get(f"{path}images/").json()
    assert (listed["count"], [each["url"] for each in listed["results"]]) == (9, urls[:3] + urls[4:])


def test_of_many_at_once_each_is_there_and_no_more_than_ten(path: str, staff: Caller, media: Path) -> None:
    codes = at_once(lambda n: upload(path, colour(n)).status_code, 14)
    assert (codes.count(201), codes.count(409)) == (10, 4)
    assert len(set(staff.get(path).json()["images"])) == 10
    assert len(files(media)) == 30


def test_the_same_picture_again_is_the_same_image(path: str, staff: Caller, media: Path) -> None:
    assert len({each.json()["url"] for each in at_once(lambda _: upload(path, picture()), 5)}) == 1
    assert len(files(media)) == 3
    assert staff.get(path).json()["version"] == 2


def test_a_deleted_picture_is_gone_at_once_and_may_come_back_under_another_name(
    path: str, staff: Caller, ada: Caller, media: Path
) -> None:
    url = upload(path, picture()).json()["url"]
    assert ada.delete(url).status_code == 403
    assert staff.delete(url).status_code == 204
    assert files(media) == []
    assert ada.get(url).status_code == staff.delete(url).status_code == 404
    assert upload(path, picture()).json()["url"] != url


def test_a_deleted_items_pictures_go_with_it(path: str, staff: Caller, media: Path) -> None:
    url = upload(path, picture()).json()["url"]
    assert staff.delete(path).status_code == 204
    assert (files(media), staff.get(url).status_code) == ([], 404)


def test_only_staff_bring_and_delete_pictures(path: str, ada: Caller) -> None:
    for who in (ada, Caller(HTTP_HOST="localhost", HTTP_X_USER_ID="g", HTTP_X_CUSTOMER_TYPE="guest")):
        form = {"image": SimpleUploadedFile("a.jpg", picture(), "image/jpeg")}
        assert who.post(f"{path}images/", form, format="multipart").status_code == 403


@pytest.mark.parametrize("query", ["width=201", "width=-1", "width=x", "width=", "width=200.0", "width=" + "9" * 5000])
def test_a_width_that_there_is_not_is_refused(path: str, ada: Caller, query: str) -> None:
    answer = ada.get(f"{upload(path, picture()).json()['url']}?{query}")
    assert (answer.status_code, list(answer.json()["details"])) == (400, ["width"])


@pytest.mark.parametrize("name", ["nothing.jpeg", "x", "..", "a..jpeg", "%2e%2e", ".jpeg", "a" * 300])
def test_a_name_that_there_is_not_is_not_found(path: str, ada: Caller, name: str) -> None:
    upload(path, picture())
    assert ada.get(f"{path}images/{name}/").status_code in (400, 404)


def test_nothing_is_kept_for_an_item_that_is_not_there(media: Path) -> None:
    assert upload("/api/books/book_none/", picture()).status_code == 404
    assert files(media) == []


def test_what_can_not_be_put_on_the_item_is_not_kept(path: str, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_args: object, **_more: object) -> None:
        changes.items().delete_many({})

    monkeypatch.setattr(changes, "change", gone)
    assert upload(path, picture()).status_code == 404
    assert files(media) == []


def test_files_of_uploads_that_died_are_swept_after_a_day_and_no_others(
    path: str, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(path, picture())
    kept = files(media)
    with monkeypatch.context() as dies:
        dies.setattr(images, "_append", lambda *_args: 1 / 0)
        dies.setattr(images, "_forget", lambda _name: None)
        with pytest.raises(ZeroDivisionError):
            images.add(item_id=path.split("/")[3], raw=colour(1))
    assert len(files(media)) == 6
    assert images.forget_orphans() == 0
    for each in media.iterdir():
        os.utime(each, (0, 0))
    assert images.forget_orphans() == 3
    assert files(media) == kept


def test_where_nothing_was_ever_kept_there_is_nothing_to_sweep() -> None:
    assert images.forget_orphans() == 0
