"""Settings that depend on the environment: mail goes where it says, and in production it has to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shopkit.config import Config, ConfigurationError
from shopkit.settings import settings_for

Given = Callable[..., dict[str, Any]]
PRODUCTION = {"SHOP_ENV": "production", "SECRET_KEY": "0123456789" * 5, "ALLOWED_HOSTS": "shop.example.com"}
SMTP = {
    "EMAIL_HOST": "mail.example.com",
    "EMAIL_PORT": "2525",
    "EMAIL_HOST_USER": "shop",
    "EMAIL_HOST_PASSWORD": "secret",
    "EMAIL_USE_TLS": "false",
    "DEFAULT_FROM_EMAIL": "shop@example.com",
}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Given:
    for field in Config.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)

    def settings(*, mails: bool = True, **environment: str) -> dict[str, Any]:
        for name, value in {"SHOP_DATA": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("shopkit.settings.config", Config)
        return settings_for("registered_customer", mails=mails)

    return settings


def test_in_development_each_mail_is_a_file_in_the_data_folder(given: Given, tmp_path: Path) -> None:
    found = given()
    assert (found["EMAIL_BACKEND"], found["EMAIL_FILE_PATH"]) == ("shopkit.mail.Files", tmp_path / "mail")


def test_mail_goes_to_the_server_that_is_named(given: Given) -> None:
    found = given(**PRODUCTION, **SMTP, SHOP_FRONT_URL="https://shop.example.com")
    assert found["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert {name: str(found[name]).lower() for name in SMTP} == SMTP
    assert found["EMAIL_TIMEOUT"] == 10


def test_in_production_a_service_that_mails_does_not_start_without_a_server(given: Given) -> None:
    with pytest.raises(ConfigurationError, match="EMAIL_HOST"):
        given(**PRODUCTION)
    given(mails=False, **PRODUCTION)


def test_mails_link_to_the_shop_front_or_else_to_the_gateway(given: Given) -> None:
    assert given(SHOP_PORT_OFFSET="100")["FRONT_URL"] == "http://localhost:8100"
    assert given(SHOP_FRONT_URL="https://shop.example.com/")["FRONT_URL"] == "https://shop.example.com"


def test_passwords_are_hashed_with_argon2_first(given: Given) -> None:
    assert given()["PASSWORD_HASHERS"][0] == "shopkit.passwords.Argon2"
