"""The environment, and what of it a service refuses to start with."""

import re
import stat
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from shopkit import tokens
from shopkit.config import Config, ConfigurationError, config, shown_url

SECRET = "0123456789" * 5
PRODUCTION = {"SHOP_ENV": "production", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "shop.example.com"}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Config.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Config:
    """As `config()` does, but neither from what it keeps nor into it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return config.__wrapped__()  # type: ignore[no-any-return]


def test_development_is_open_and_listens_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch)
    assert (found.production, found.open_access, found.bind) == (False, True, "127.0.0.1")
    assert found.hosts == ["localhost", "127.0.0.1", "[::1]"]


def test_production_is_secure(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(monkeypatch, **PRODUCTION, SHOP_BIND="0.0.0.0", CORS_ALLOWED_ORIGINS="https://a.example, ")
    assert (found.production, found.open_access, found.secret()) == (True, False, SECRET)
    assert (found.hosts, found.cors) == (["shop.example.com"], ["https://a.example"])


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({**PRODUCTION, "SECRET_KEY": ""}, "SECRET_KEY"),
        ({**PRODUCTION, "SECRET_KEY": SECRET[1:]}, "SECRET_KEY"),
        ({**PRODUCTION, "SECRET_KEY": "abcd" * 20}, "SECRET_KEY"),
        ({**PRODUCTION, "SECRET_KEY": f"django-insecure-{SECRET}"}, "SECRET_KEY"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "shop.example.com, .example.com"}, "ALLOWED_HOSTS"),
        ({**PRODUCTION, "ALLOWED_HOSTS": " , "}, "ALLOWED_HOSTS"),
        ({"SHOP_HSTS": "yes"}, "SHOP_HSTS"),
        ({**PRODUCTION, "ALLOWED_HOSTS": "shop.example.com,*.example.com"}, "ALLOWED_HOSTS"),
        ({**PRODUCTION, "SHOP_ACCESS": "open"}, "SHOP_ACCESS=open"),
        ({**PRODUCTION, "DEBUG": "1"}, "DEBUG=0"),
        ({"DEBUG": "0"}, "set DEBUG=1 or SHOP_ACCESS=secure"),
        ({"DEBUG": "0", "SHOP_ACCESS": "open"}, "set DEBUG=1 or SHOP_ACCESS=secure"),
        ({"DEBUG": "perhaps"}, "DEBUG"),
        ({"SHOP_BIND": "0.0.0.0"}, "SHOP_BIND"),
        ({"SHOP_BIND": "::"}, "SHOP_BIND"),
        ({"SHOP_BIND": "example.com"}, "SHOP_BIND"),
        ({"SHOP_ACCESS": "closed"}, "SHOP_ACCESS"),
        ({"SHOP_ENV": "staging"}, "SHOP_ENV"),
        ({"SHOP_RATE_LIMIT": "many"}, "SHOP_RATE_LIMIT"),
        ({"SHOP_RATE_LIMIT": "0/minute"}, "SHOP_RATE_LIMIT"),
        ({"SHOP_AUTH_RATE_LIMIT": "1/minute; 5/hour"}, "SHOP_AUTH_RATE_LIMIT"),
        ({"SHOP_TOKEN_MINUTES": "0"}, "SHOP_TOKEN_MINUTES"),
        ({"SHOP_TOKEN_MINUTES": "1441"}, "SHOP_TOKEN_MINUTES"),
        ({"SHOP_TOKEN_MINUTES": "an hour"}, "SHOP_TOKEN_MINUTES"),
    ],
)
def test_what_does_not_hold_stops_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(monkeypatch, **environment)
    message = str(refused.value.code)
    assert named in message
    assert "\n" not in message
    assert SECRET not in message


@pytest.mark.parametrize("secret", ["", SECRET[1:]])
def test_who_has_no_secret_is_told_how_to_make_one(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(monkeypatch, **{**PRODUCTION, "SECRET_KEY": secret})
    said = re.search(r"python -c '(.*token_urlsafe.*)'", str(refused.value.code))
    assert said
    made = subprocess.run([sys.executable, "-c", said[1]], capture_output=True, text=True, check=True).stdout.strip()
    assert read(monkeypatch, **{**PRODUCTION, "SECRET_KEY": made}).secret() == made


@pytest.mark.parametrize(
    ("environment", "debug"),
    [
        ({}, True),
        ({"SHOP_ACCESS": "secure"}, True),
        ({"SHOP_ACCESS": "secure", "DEBUG": "0"}, False),
        (PRODUCTION, False),
        ({**PRODUCTION, "DEBUG": ""}, False),
        ({**PRODUCTION, "DEBUG": "0"}, False),
    ],
)
def test_debug_is_on_in_development_only(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], debug: bool
) -> None:
    assert read(monkeypatch, **environment).debug is debug


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_open_access_on_a_loopback_address_is_fine(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    assert read(monkeypatch, SHOP_BIND=bind).open_access


def test_secure_access_may_listen_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not read(monkeypatch, SHOP_BIND="0.0.0.0", SHOP_ACCESS="secure").open_access


@pytest.mark.parametrize(
    ("environment", "limits"),
    [
        ({}, (None, None)),
        ({"SHOP_RATE_LIMIT": "5 per 10 seconds"}, ("5 per 10 seconds", None)),
        ({"SHOP_ACCESS": "secure"}, ("1200/minute", "30/minute")),
        ({"SHOP_ACCESS": "secure", "SHOP_RATE_LIMIT": ""}, ("1200/minute", "30/minute")),  # as compose passes it on
        (PRODUCTION, ("1200/minute", "30/minute")),
        ({**PRODUCTION, "SHOP_RATE_LIMIT": "off", "SHOP_AUTH_RATE_LIMIT": "9/hour"}, (None, "9/hour")),
    ],
)
def test_clients_are_limited_unless_access_is_open_or_it_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], limits: tuple[str | None, str | None]
) -> None:
    found = read(monkeypatch, **environment)
    assert (found.rate_limit, found.auth_rate_limit) == limits


@pytest.mark.parametrize(("given", "minutes"), [("", 60), ("1", 1), ("1440", 1440)])
def test_an_access_token_lives_for_as_long_as_it_says(
    monkeypatch: pytest.MonkeyPatch, given: str, minutes: int
) -> None:
    found = read(monkeypatch, SHOP_TOKEN_MINUTES=given)  # empty, as compose passes it on
    monkeypatch.setattr(tokens, "config", lambda: found)
    token = tokens.access_token(subject="ada", customer_type="registered", role="customer")
    said = jwt.decode(token, options={"verify_signature": False})
    assert said["exp"] - said["iat"] == minutes * 60


def test_a_services_own_database_goes_before_the_shared_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = read(monkeypatch, SHOP_DATA=str(tmp_path))
    assert found.database("cart_service") == f"sqlite:///{tmp_path}/cart_service.sqlite3"
    found = read(monkeypatch, DATABASE_URL="postgres://shared")
    assert found.database("cart_service") == "postgres://shared"
    monkeypatch.setenv("CART_SERVICE_DATABASE_URL", "postgres://own")
    assert found.database("cart_service") == "postgres://own"


def test_a_services_own_document_database_goes_before_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch).mongo_database("book_service") == "book_service"
    assert read(monkeypatch, MONGO_DATABASE="shared").mongo_database("book_service") == "shared"
    monkeypatch.setenv("BOOK_SERVICE_MONGO_DATABASE", "own")
    assert read(monkeypatch, MONGO_DATABASE="shared").mongo_database("book_service") == "own"


def test_in_development_a_secret_is_made_once_for_the_owners_eyes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = read(monkeypatch, SHOP_DATA=str(tmp_path / "new"))
    assert len(found.secret()) >= 50
    assert found.secret() == read(monkeypatch).secret()
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600


def test_a_password_is_not_shown() -> None:
    assert shown_url("mongodb://me:secret@db:27017/shop") == "mongodb://db:27017/shop"
