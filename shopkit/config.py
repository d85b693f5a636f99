"""What a service reads from its environment, checked once at start."""

import ipaddress
import os
import secrets
from functools import cache
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
SECRET_LENGTH = 50  # what Django's own `check --deploy` asks for (security.W009)


class ConfigurationError(SystemExit):
    """Stops the start with one sentence that says what to set."""


class Config(BaseSettings):
    """The environment. Names are as in `.env.example`; defaults suit development on one machine."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    env: Literal["development", "production"] = Field("development", alias="SHOP_ENV")
    access: Literal["open", "secure"] | None = Field(None, alias="SHOP_ACCESS")
    bind: str = Field("127.0.0.1", alias="SHOP_BIND")
    data: Path = Field(ROOT / "data", alias="SHOP_DATA")
    behind_proxy: bool = Field(False, alias="SHOP_BEHIND_PROXY")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="SHOP_LOG_LEVEL")
    database_url: str | None = Field(None, alias="DATABASE_URL")
    mongo_url: str = Field("mongodb://127.0.0.1:27017", alias="MONGO_URL")
    mongo_database: str | None = Field(None, alias="MONGO_DATABASE")
    redis_url: str | None = Field(None, alias="REDIS_URL")
    secret_key: str | None = Field(None, alias="SECRET_KEY")
    allowed_hosts: str = Field("localhost,127.0.0.1,[::1]", alias="ALLOWED_HOSTS")
    cors_origins: str = Field("", alias="CORS_ALLOWED_ORIGINS")
    front_url: str | None = Field(None, alias="SHOP_FRONT_URL")
    email_host: str | None = Field(None, alias="EMAIL_HOST")
    email_port: int = Field(587, alias="EMAIL_PORT")
    email_user: str = Field("", alias="EMAIL_HOST_USER")
    email_password: str = Field("", alias="EMAIL_HOST_PASSWORD")
    email_tls: bool = Field(True, alias="EMAIL_USE_TLS")
    email_from: str = Field("Polyshop <shop@localhost>", alias="DEFAULT_FROM_EMAIL")
    staff_email: str | None = Field(None, alias="SHOP_STAFF_EMAIL")
    staff_password: str | None = Field(None, alias="SHOP_STAFF_PASSWORD")

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def open_access(self) -> bool:
        """Development is open unless it says otherwise; production never is."""
        return (self.access or ("secure" if self.production else "open")) == "open"

    @property
    def hosts(self) -> list[str]:
        return _listed(self.allowed_hosts)

    @property
    def cors(self) -> list[str]:
        return _listed(self.cors_origins)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.open_access and self.production:
            raise ValueError("SHOP_ACCESS=open believes whoever calls; set SHOP_ACCESS=secure in production.")
        if self.open_access and not _is_loopback(self.bind):
            raise ValueError(
                f"SHOP_ACCESS=open believes whoever calls, so SHOP_BIND must be a loopback address, not {self.bind}; "
                "set SHOP_ACCESS=secure to listen elsewhere."
            )
        if self.production:
            self._check_production()
        return self

    def _check_production(self) -> None:
        if len(self.secret_key or "") < SECRET_LENGTH:
            raise ValueError(
                f"SECRET_KEY must be at least {SECRET_LENGTH} characters in production; make one with "
                "python -c 'import secrets; print(secrets.token_urlsafe(50))'."
            )
        if "*" in self.allowed_hosts:
            raise ValueError("ALLOWED_HOSTS must name the hosts in production, without a wildcard.")

    def database(self, name: str) -> str:
        """`<NAME>_DATABASE_URL`, else `DATABASE_URL`, else a SQLite file in the data folder."""
        own = os.environ.get(f"{name.upper()}_DATABASE_URL")
        return own or self.database_url or f"sqlite:///{self.data.resolve() / name}.sqlite3"

    def secret(self) -> str:
        """The signing secret; in development one is made on first start and kept in the data folder."""
        return self.secret_key or _kept_secret(self.data / "secret_key")


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_urlsafe(SECRET_LENGTH))
    except FileExistsError:
        pass  # another service of the fleet was first
    return path.read_text()


@cache
def config() -> Config:
    """The process's configuration; a `ConfigurationError` with one sentence a mistake when it does not hold."""
    try:
        return Config()  # type: ignore[call-arg]  # its fields are the environment's
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentence(mistake) for mistake in error.errors())) from None


def _sentence(mistake: object) -> str:
    assert isinstance(mistake, dict)
    where = " ".join(str(part) for part in mistake["loc"])
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return f"{where}: {message}" if where else message


def shown_url(url: str) -> str:
    """A store's address without its password, for people and logs."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
