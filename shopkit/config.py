"""What a service reads from its environment, checked once at start."""

import contextlib
import hashlib
import ipaddress
import os
import secrets
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
SECRET_LENGTH, SECRET_VARIETY = 50, 5  # characters, and different ones

RATE_LIMIT, AUTH_RATE_LIMIT, NO_LIMIT = "1200/minute", "30/minute", "off"


class ConfigurationError(SystemExit):
    """Stops the start with one sentence that says what to set."""


def _rate(text: str | None) -> str | None:
    if text is None or text == NO_LIMIT:
        return text
    from limits import parse_many  # not for those who set none: it takes long to import

    try:
        counts = [item.amount * item.multiples for item in parse_many(text)]
    except ValueError:
        counts = []
    if len(counts) != 1 or not counts[0]:
        raise ValueError(f"it must be one rate such as {RATE_LIMIT} or 5 per 10 seconds, or {NO_LIMIT}, not {text!r}.")
    return text


class Config(BaseSettings):
    """The environment. Names are as in `.env.example`; defaults suit development on one machine."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    env: Literal["development", "production"] = Field("development", alias="SHOP_ENV")
    access: Literal["open", "secure"] | None = Field(None, alias="SHOP_ACCESS")
    given_debug: bool | None = Field(None, alias="DEBUG")
    bind: str = Field("127.0.0.1", alias="SHOP_BIND")
    data: Path = Field(ROOT / "data", alias="SHOP_DATA")
    behind_proxy: bool = Field(False, alias="SHOP_BEHIND_PROXY")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="SHOP_LOG_LEVEL")
    database_url: str | None = Field(None, alias="DATABASE_URL")
    mongo_url: str = Field("mongodb://127.0.0.1:27017", alias="MONGO_URL")
    given_mongo_database: str | None = Field(None, alias="MONGO_DATABASE")
    redis_url: str | None = Field(None, alias="REDIS_URL")
    secret_key: str | None = Field(None, alias="SECRET_KEY")
    signing_key: str | None = Field(None, alias="SHOP_SIGNING_KEY")
    public_keys: str | None = Field(None, alias="SHOP_PUBLIC_KEYS")
    simulated_secrets: str = Field("", alias="SIMULATED_WEBHOOK_SECRETS")
    given_carrier_secrets: str = Field("", alias="CARRIER_WEBHOOK_SECRETS")
    token_minutes: int = Field(60, alias="SHOP_TOKEN_MINUTES", ge=1, le=24 * 60)
    hsts: Literal["host", "subdomains", "preload"] = Field("host", alias="SHOP_HSTS")
    allowed_hosts: str = Field("localhost,127.0.0.1,[::1]", alias="ALLOWED_HOSTS")
    cors_origins: str = Field("", alias="CORS_ALLOWED_ORIGINS")
    given_rate: Annotated[str | None, AfterValidator(_rate)] = Field(None, alias="SHOP_RATE_LIMIT")
    given_auth_rate: Annotated[str | None, AfterValidator(_rate)] = Field(None, alias="SHOP_AUTH_RATE_LIMIT")
    front_url: str | None = Field(None, alias="SHOP_FRONT_URL")
    email_host: str | None = Field(None, alias="EMAIL_HOST")
    email_port: int = Field(587, alias="EMAIL_PORT")
    email_user: str = Field("", alias="EMAIL_HOST_USER")
    email_password: str = Field("", alias="EMAIL_HOST_PASSWORD")
    email_tls: bool = Field(True, alias="EMAIL_USE_TLS")
    email_from: str = Field("Polyshop <shop@localhost>", alias="DEFAULT_FROM_EMAIL")
    alert_email: str | None = Field(None, alias="SHOP_ALERT_EMAIL")
    low_stock_at: int = Field(5, alias="SHOP_LOW_STOCK_AT", ge=0)
    media_bucket: str | None = Field(None, alias="SHOP_MEDIA_S3_BUCKET")
    media_endpoint: str | None = Field(None, alias="SHOP_MEDIA_S3_ENDPOINT")
    recommendations_every: float = Field(600, alias="SHOP_RECOMMENDATIONS_EVERY", gt=0)
    heal_seconds: float = Field(25, alias="SHOP_CATALOGUE_HEAL_SECONDS", gt=0)
    staff_email: str | None = Field(None, alias="SHOP_STAFF_EMAIL")
    staff_password: str | None = Field(None, alias="SHOP_STAFF_PASSWORD")

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def debug(self) -> bool:
        """On in development unless it says otherwise; never in production."""
        return not self.production if self.given_debug is None else self.given_debug

    @property
    def open_access(self) -> bool:
        """Development is open unless it says otherwise; production never is."""
        return (self.access or ("secure" if self.production else "open")) == "open"

    @property
    def rate_limit(self) -> str | None:
        """Requests a client, as `limits` writes it; None for no limit, as in open access unless set."""
        return self._limit(self.given_rate, RATE_LIMIT)

    @property
    def auth_rate_limit(self) -> str | None:
        """The same for what registers, signs in and the like."""
        return self._limit(self.given_auth_rate, AUTH_RATE_LIMIT)

    def _limit(self, given: str | None, default: str) -> str | None:
        found = given or (NO_LIMIT if self.open_access else default)
        return None if found == NO_LIMIT else found

    @property
    def hosts(self) -> list[str]:
        return _listed(self.allowed_hosts)

    @property
    def webhook_secrets(self) -> list[str]:
        """Those that the simulated provider's webhooks may be signed with; one from our own secret if none is named."""
        own = hashlib.sha256(f"simulated webhooks:{self.secret()}".encode()).hexdigest()
        return _listed(self.simulated_secrets) or [own]

    @property
    def carrier_secrets(self) -> list[str]:
        """The same for the simulated carrier's."""
        own = hashlib.sha256(f"carrier webhooks:{self.secret()}".encode()).hexdigest()
        return _listed(self.given_carrier_secrets) or [own]

    @property
    def cors(self) -> list[str]:
        return _listed(self.cors_origins)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.open_access and self.production:
            raise ValueError("SHOP_ACCESS=open believes whoever calls; set SHOP_ACCESS=secure in production.")
        if self.open_access and not self.debug:
            raise ValueError(
                "SHOP_ACCESS=open is for development, for it believes whoever calls; set DEBUG=1 or SHOP_ACCESS=secure."
            )
        if self.open_access and not is_loopback(self.bind):
            raise ValueError(
                f"SHOP_ACCESS=open believes whoever calls, so SHOP_BIND must be a loopback address, not {self.bind}; "
                "set SHOP_ACCESS=secure to listen elsewhere."
            )
        if self.production:
            self._check_production()
        return self

    def _check_production(self) -> None:
        if self.debug:
            raise ValueError("DEBUG is for development; set DEBUG=0, or SHOP_ENV=development, for this is production.")
        if not _is_secret(self.secret_key or ""):
            raise ValueError(
                f"SECRET_KEY must be at least {SECRET_LENGTH} random characters in production; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe(50))'."
            )
        if not self.hosts or any(host.startswith(".") or "*" in host for host in self.hosts):
            raise ValueError("ALLOWED_HOSTS must name each host in production, without a wildcard or a dot before it.")

    def database(self, name: str) -> str:
        """`<NAME>_DATABASE_URL`, else `DATABASE_URL`, else a SQLite file in the data folder."""
        own = os.environ.get(f"{name.upper()}_DATABASE_URL")
        return own or self.database_url or f"sqlite:///{self.data.resolve() / name}.sqlite3"

    def mongo_database(self, name: str) -> str:
        """`<NAME>_MONGO_DATABASE`, else `MONGO_DATABASE`, else the service's name."""
        return os.environ.get(f"{name.upper()}_MONGO_DATABASE") or self.given_mongo_database or name

    def secret(self) -> str:
        """The signing secret; in development one is made on first start and kept in the data folder."""
        return self.secret_key or kept_secret(self.data / "secret_key", lambda: secrets.token_urlsafe(SECRET_LENGTH))


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_secret(key: str) -> bool:
    """As Django's `check --deploy` has it (security.W009): nothing short, monotonous, or made by `startproject`."""
    return len(key) >= SECRET_LENGTH and len(set(key)) >= SECRET_VARIETY and not key.startswith("django-insecure-")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """What that file holds; where there is none yet, what `make` gives, written whole, unless another was first."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


@cache
def config() -> Config:
    """The process's configuration; a `ConfigurationError` with one sentence a mistake when it does not hold."""
    try:
        return Config()  # type: ignore[call-arg]  # its fields are the environment's
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentence(mistake) for mistake in error.errors())) from None


def check_socket(arguments: list[str]) -> None:
    """`ConfigurationError` when Django's own `runserver` would have others than this machine believed."""
    if "runserver" not in arguments:
        return
    given = next((word for word in arguments[arguments.index("runserver") + 1 :] if not word.startswith("-")), "")
    host = given.rpartition(":")[0].strip("[]") if ":" in given else ("" if given.isdigit() else given)
    if host:
        check_listens("runserver", [host])


def check_listens(who: str, hosts: Iterable[str]) -> None:
    """`ConfigurationError` when a server that listens there, as which `who` is known, would believe other machines."""
    elsewhere = next((host for host in hosts if not is_loopback(host)), None)
    if elsewhere is not None and config().open_access:
        raise ConfigurationError(
            f"SHOP_ACCESS=open believes whoever calls, so {who} must listen on a loopback address, not {elsewhere}; "
            "set SHOP_ACCESS=secure to listen elsewhere."
        )


def _sentence(mistake: object) -> str:
    assert isinstance(mistake, dict)
    where = " ".join(str(part) for part in mistake["loc"])
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def shown_url(url: str) -> str:
    """A store's address without its password, for people and logs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
