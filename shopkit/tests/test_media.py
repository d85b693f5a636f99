"""Where files are kept: a folder, or a bucket of an S3-compatible store."""

from pathlib import Path
from typing import Any

import pytest

from shopkit import media
from shopkit.config import Config, ConfigurationError
from shopkit.settings import settings_for


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for field in Config.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setenv("SHOP_DATA", str(tmp_path))
    monkeypatch.setattr("shopkit.settings.config", Config)
    return monkeypatch


def storage(service: str) -> Any:
    return settings_for(service)["STORAGES"]["default"]


@pytest.mark.parametrize("service", ["book_service", "order_service"])
def test_files_are_in_a_folder_of_the_services_own(env: pytest.MonkeyPatch, tmp_path: Path, service: str) -> None:
    found = settings_for(service)
    assert found["STORAGES"]["default"]["BACKEND"].endswith("FileSystemStorage")
    assert found["MEDIA_ROOT"] == tmp_path / "media" / service


def test_a_bucket_that_is_named_keeps_them_instead(env: pytest.MonkeyPatch) -> None:
    env.setattr(media, "find_spec", lambda _name: object())
    env.setenv("SHOP_MEDIA_S3_BUCKET", "shop")
    env.setenv("SHOP_MEDIA_S3_ENDPOINT", "https://store.example.com")
    found = storage("book_service")
    assert found["BACKEND"] == "storages.backends.s3.S3Storage"
    wanted = {"bucket_name": "shop", "location": "book_service", "endpoint_url": "https://store.example.com"}
    assert found["OPTIONS"].items() >= wanted.items()
    assert not found["OPTIONS"]["file_overwrite"]


def test_without_the_package_for_it_the_service_does_not_start(env: pytest.MonkeyPatch) -> None:
    env.setattr(media, "find_spec", lambda name: None if name == "storages" else object())
    env.setenv("SHOP_MEDIA_S3_BUCKET", "shop")
    with pytest.raises(ConfigurationError, match="django-storages") as stopped:
        settings_for("book_service")
    assert "\n" not in str(stopped.value)


def test_django_storages_takes_the_options(env: pytest.MonkeyPatch) -> None:
    s3 = pytest.importorskip("storages.backends.s3")
    env.setenv("SHOP_MEDIA_S3_BUCKET", "shop")
    made = s3.S3Storage(**storage("book_service")["OPTIONS"])
    assert (made.bucket_name, made.location, made.default_acl) == ("shop", "book_service", None)


def test_who_keeps_no_files_has_no_say_in_it(env: pytest.MonkeyPatch) -> None:
    env.setenv("SHOP_MEDIA_S3_BUCKET", "shop")
    assert "STORAGES" not in settings_for("cart_service")
